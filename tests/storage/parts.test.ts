import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Piece } from '../../src/storage/object-store.ts';
import { type Part, type PartLimits, planParts, S3_PART_LIMITS } from '../../src/storage/parts.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const range = (name: string, offset: number, length: number): Piece => ({
  ref: { bucket: 'bucket', key: name },
  etag: `etag of ${name}`,
  offset,
  length,
});

/** Every byte of a plan by where it comes from: `name@offset`, or the value of a byte in memory. */
function origins(pieces: Iterable<Piece>): string[] {
  return [...pieces].flatMap((piece) =>
    'ref' in piece
      ? Array.from({ length: piece.length }, (_, n) => `${piece.ref.key}@${piece.offset + n}`)
      : [...piece].map(String),
  );
}

const piecesOf = (part: Part): readonly Piece[] => (part.kind === 'copy' ? [part.range] : part.pieces);
const lengthOf = (part: Part): number => piecesOf(part).reduce((sum, piece) => sum + piece.length, 0);
const outline = (parts: readonly Part[]): string[] =>
  parts.map((part) =>
    part.kind === 'copy' ? `copy ${part.range.offset}+${part.range.length}` : `upload ${part.length}`,
  );

/** S3's limits in miniature, so that a test meets all of them. */
const small: PartLimits = { minPartBytes: 5, maxPartBytes: 40, maxParts: 12, uploadBytes: 8, copyBytes: 20 };

const anyPiece = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.nat(60), fc.nat(100))
    .map(([name, offset, length]) => range(name, offset, length)),
);

describe('planning the parts of an upload', () => {
  test('keeps every byte in its place and every limit', () => {
    fc.assert(
      fc.property(fc.array(anyPiece, { maxLength: 12 }), (pieces) => {
        const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
        fc.pre(total <= 200);
        const parts = planParts(pieces, small);
        expect(origins(parts.flatMap(piecesOf))).toEqual(origins(pieces));
        expect(parts.length).toBeLessThanOrEqual(small.maxParts);
        for (const [index, part] of parts.entries()) {
          expect(lengthOf(part)).toBeLessThanOrEqual(small.maxPartBytes);
          expect(lengthOf(part)).toBeGreaterThanOrEqual(index === parts.length - 1 ? 1 : small.minPartBytes);
          if (part.kind === 'upload') expect(part.length).toBe(lengthOf(part));
          else expect(part.range.offset + part.range.length).toBeGreaterThan(small.minPartBytes);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('never uploads more than fits in memory while there are parts enough', () => {
    fc.assert(
      fc.property(fc.array(anyPiece, { maxLength: 30 }), (pieces) => {
        for (const part of planParts(pieces, { ...small, maxParts: 10_000 })) {
          if (part.kind === 'upload') expect(part.length).toBeLessThanOrEqual(small.uploadBytes);
          else expect(part.range.length).toBeLessThanOrEqual(small.copyBytes);
        }
      }),
    );
  });

  test('of nothing is nothing', () => {
    expect(planParts([])).toEqual([]);
    expect(planParts([new Uint8Array(0), range('a', 5, 0)])).toEqual([]);
  });

  test('joins what is small into one part', () => {
    expect(outline(planParts([new Uint8Array(10), range('a', 0, MiB), new Uint8Array(5)]))).toEqual([
      `upload ${MiB + 15}`,
    ]);
  });

  test('copies a large range, topping up what comes before it', () => {
    expect(outline(planParts([new Uint8Array(100), range('a', 0, 20 * MiB), new Uint8Array(7)]))).toEqual([
      `upload ${5 * MiB}`,
      `copy ${5 * MiB - 100}+${15 * MiB + 100}`,
      'upload 7',
    ]);
  });

  test('reads a range whose rest would be too small to copy', () => {
    expect(outline(planParts([new Uint8Array(MiB), range('a', 0, 9 * MiB - 1)]))).toEqual([
      `upload ${8 * MiB}`,
      `upload ${2 * MiB - 1}`,
    ]);
  });

  test('copies a range of the least size only from an object that is larger', () => {
    expect(outline(planParts([range('a', 0, 5 * MiB)]))).toEqual([`upload ${5 * MiB}`]);
    expect(outline(planParts([range('a', 1, 5 * MiB)]))).toEqual([`copy 1+${5 * MiB}`]);
    expect(outline(planParts([range('a', 0, 5 * MiB + 1)]))).toEqual([`copy 0+${5 * MiB + 1}`]);
  });

  test('takes ranges that continue each other for one', () => {
    const pieces = Array.from({ length: 1_000 }, (_, n) => range('a', n * 10_000, 10_000));
    expect(outline(planParts(pieces))).toEqual(['copy 0+10000000']);
  });

  test('does not take ranges of different objects, versions or ETags for one', () => {
    const first = { ref: { bucket: 'bucket', key: 'a', versionId: '1' }, etag: 'x', offset: 0, length: 6 * MiB };
    const rest = { offset: 6 * MiB, length: 6 * MiB };
    const others = [
      { ...first, ...rest, ref: { ...first.ref, versionId: '2' } },
      { ...first, ...rest, ref: { ...first.ref, key: 'b' } },
      { ...first, ...rest, ref: { ...first.ref, bucket: 'other' } },
      { ...first, ...rest, etag: 'y' },
    ];
    for (const other of others) expect(planParts([first, other])).toHaveLength(2);
    expect(planParts([first, { ...first, ...rest }])).toHaveLength(1);
  });

  test('splits what is larger than a part may be, evenly', () => {
    expect(outline(planParts([range('a', 0, 5 * GiB + 1)], { ...S3_PART_LIMITS, copyBytes: 5 * GiB }))).toEqual([
      `copy 0+${2.5 * GiB + 1}`,
      `copy ${2.5 * GiB + 1}+${2.5 * GiB}`,
    ]);
  });

  test('makes larger parts where there would be more than ten thousand', () => {
    const pieces = Array.from({ length: 25_000 }, (_, n) => range(`object ${n}`, 0, 6 * MiB));
    const parts = planParts(pieces);
    expect(parts.length).toBeLessThanOrEqual(10_000);
    expect(parts.reduce((sum, part) => sum + lengthOf(part), 0)).toBe(25_000 * 6 * MiB);
    expect(Math.max(...parts.map(lengthOf))).toBeLessThanOrEqual(20 * MiB);
  });

  test('still copies large ranges where small ones are too many', () => {
    const many = Array.from({ length: 11_000 }, (_, n) => range(`object ${n}`, 0, 6 * MiB));
    const parts = planParts([...many, range('large', 0, 500 * GiB)]);
    expect(parts.length).toBeLessThanOrEqual(10_000);
    const copied = parts.filter((part) => part.kind === 'copy').reduce((sum, part) => sum + lengthOf(part), 0);
    expect(copied).toBeGreaterThan(499 * GiB);
  });

  test('refuses more bytes than an object can have', () => {
    expect(() => planParts([range('a', 0, 500)], small)).toThrow('Expected at most 12 parts');
  });

  test.each([
    ['offset', -1, 1],
    ['length', 0, 1.5],
    ['offset', 2 ** 53, 1],
  ])('refuses a range whose %s is no number of bytes', (name, offset, length) => {
    expect(() => planParts([range('a', offset, length)])).toThrow(`whole number of bytes for ${name}`);
  });
});
