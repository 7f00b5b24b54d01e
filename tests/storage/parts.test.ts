import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MadePiece, Piece } from '../../src/storage/object-store.ts';
import { type Part, type PartLimits, planParts, S3_PART_LIMITS } from '../../src/storage/s3/parts.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const range = (name: string, offset: number, length: number): Piece => ({
  ref: { bucket: 'bucket', key: name },
  etag: `etag of ${name}`,
  offset,
  length,
});

const made = (bytes: Uint8Array): MadePiece => ({ length: bytes.length, make: () => bytes });
const madeLater = (bytes: Uint8Array): MadePiece => ({ length: bytes.length, make: () => Promise.resolve(bytes) });
/** A generated piece that fails when planning generates it. */
const unmade = (length: number): MadePiece => ({
  length,
  make: () => {
    throw new Error('Expected that nothing is made');
  },
});

/** The origin of every byte of a plan: `name@offset`, or the value of a byte in memory. */
async function origins(pieces: Iterable<Piece>): Promise<string[]> {
  const all: string[] = [];
  for (const piece of pieces) {
    if ('ref' in piece)
      all.push(...Array.from({ length: piece.length }, (_, n) => `${piece.ref.key}@${piece.offset + n}`));
    else all.push(...[...('make' in piece ? await piece.make() : piece)].map(String));
  }
  return all;
}

const piecesOf = (part: Part): readonly Piece[] => (part.kind === 'copy' ? [part.range] : part.pieces);
const lengthOf = (part: Part): number => piecesOf(part).reduce((sum, piece) => sum + piece.length, 0);
const outline = (parts: readonly Part[]): string[] =>
  parts.map((part) =>
    part.kind === 'copy' ? `copy ${part.range.offset}+${part.range.length}` : `upload ${part.length}`,
  );

/** Small limits, so that a test reaches all of them. */
const small: PartLimits = { minPartBytes: 5, maxPartBytes: 40, maxParts: 12, uploadBytes: 8, copyBytes: 20 };

const anyPiece = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc
    .tuple(fc.constantFrom('a', 'b'), fc.nat(60), fc.nat(100))
    .map(([name, offset, length]) => range(name, offset, length)),
  fc.uint8Array({ maxLength: 30 }).map(made),
  fc.uint8Array({ maxLength: 30 }).map(madeLater),
);

describe('planParts', () => {
  test('preserves the order of all bytes and observes all limits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyPiece, { maxLength: 12 }), async (pieces) => {
        const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
        fc.pre(total <= 200);
        const parts = planParts(pieces, small);
        expect(await origins(parts.flatMap(piecesOf))).toEqual(await origins(pieces));
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

  test('uploads no part larger than the preferred size while the number of parts allows', () => {
    fc.assert(
      fc.property(fc.array(anyPiece, { maxLength: 30 }), (pieces) => {
        for (const part of planParts(pieces, { ...small, maxParts: 10_000 })) {
          if (part.kind === 'upload') expect(part.length).toBeLessThanOrEqual(small.uploadBytes);
          else expect(part.range.length).toBeLessThanOrEqual(small.copyBytes);
        }
      }),
    );
  });

  test('plans no parts for no pieces', () => {
    expect(planParts([])).toEqual([]);
    expect(planParts([new Uint8Array(0), range('a', 5, 0)])).toEqual([]);
  });

  test('joins small pieces into one part', () => {
    expect(outline(planParts([new Uint8Array(10), range('a', 0, MiB), new Uint8Array(5)]))).toEqual([
      `upload ${MiB + 15}`,
    ]);
  });

  test('does not generate any piece', () => {
    const pieces = [unmade(3 * MiB), range('a', 0, 20 * MiB), unmade(9 * MiB), unmade(0), unmade(9 * MiB)];
    expect(outline(planParts(pieces))).toEqual([
      `upload ${5 * MiB}`,
      `copy ${2 * MiB}+${18 * MiB}`,
      `upload ${8 * MiB}`,
      `upload ${8 * MiB}`,
      `upload ${2 * MiB}`,
    ]);
  });

  test('splits a generated piece into parts that can be generated repeatedly', async () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, n) => n);
    const parts = planParts([new Uint8Array([77]), madeLater(bytes)], small);
    const backwards = [...parts].reverse();
    for (let time = 0; time < 2; time++) {
      const found = await Promise.all(backwards.map((part) => origins(piecesOf(part))));
      expect(found.map((part) => part.map(Number))).toEqual([
        [15, 16, 17, 18, 19],
        [7, 8, 9, 10, 11, 12, 13, 14],
        [77, 0, 1, 2, 3, 4, 5, 6],
      ]);
    }
  });

  test('detects a generated piece of the wrong length in every part of it', async () => {
    const short: MadePiece = { length: 20, make: () => new Uint8Array(19) };
    for (const part of planParts([short], small)) {
      await expect(origins(piecesOf(part))).rejects.toThrow('Expected 20 bytes for a generated piece but received 19');
    }
  });

  test.each([-1, 1.5, Number.NaN])('throws RangeError for a generated piece of %p bytes', (length) => {
    expect(() => planParts([{ length, make: () => new Uint8Array(0) }])).toThrow('non-negative integer for length');
  });

  test('copies a large range and completes the part before it with the first bytes of the range', () => {
    expect(outline(planParts([new Uint8Array(100), range('a', 0, 20 * MiB), new Uint8Array(7)]))).toEqual([
      `upload ${5 * MiB}`,
      `copy ${5 * MiB - 100}+${15 * MiB + 100}`,
      'upload 7',
    ]);
  });

  test('uploads a range whose remainder would be too small to copy', () => {
    expect(outline(planParts([new Uint8Array(MiB), range('a', 0, 9 * MiB - 1)]))).toEqual([
      `upload ${8 * MiB}`,
      `upload ${2 * MiB - 1}`,
    ]);
  });

  test('copies a range of the minimum size only from a larger object', () => {
    expect(outline(planParts([range('a', 0, 5 * MiB)]))).toEqual([`upload ${5 * MiB}`]);
    expect(outline(planParts([range('a', 1, 5 * MiB)]))).toEqual([`copy 1+${5 * MiB}`]);
    expect(outline(planParts([range('a', 0, 5 * MiB + 1)]))).toEqual([`copy 0+${5 * MiB + 1}`]);
  });

  test('merges adjacent ranges of one object', () => {
    const pieces = Array.from({ length: 1_000 }, (_, n) => range('a', n * 10_000, 10_000));
    expect(outline(planParts(pieces))).toEqual(['copy 0+10000000']);
  });

  test('does not merge ranges of different objects, versions or ETags', () => {
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

  test('splits a range larger than a part into parts of equal size', () => {
    expect(outline(planParts([range('a', 0, 5 * GiB + 1)], { ...S3_PART_LIMITS, copyBytes: 5 * GiB }))).toEqual([
      `copy 0+${2.5 * GiB + 1}`,
      `copy ${2.5 * GiB + 1}+${2.5 * GiB}`,
    ]);
  });

  test('plans larger parts to stay within ten thousand parts', () => {
    const pieces = Array.from({ length: 25_000 }, (_, n) => range(`object ${n}`, 0, 6 * MiB));
    const parts = planParts(pieces);
    expect(parts.length).toBeLessThanOrEqual(10_000);
    expect(parts.reduce((sum, part) => sum + lengthOf(part), 0)).toBe(25_000 * 6 * MiB);
    expect(Math.max(...parts.map(lengthOf))).toBeLessThanOrEqual(20 * MiB);
  });

  test('copies large ranges even if small ranges exceed the number of parts', () => {
    const many = Array.from({ length: 11_000 }, (_, n) => range(`object ${n}`, 0, 6 * MiB));
    const parts = planParts([...many, range('large', 0, 500 * GiB)]);
    expect(parts.length).toBeLessThanOrEqual(10_000);
    const copied = parts.filter((part) => part.kind === 'copy').reduce((sum, part) => sum + lengthOf(part), 0);
    expect(copied).toBeGreaterThan(499 * GiB);
  });

  test('throws RangeError for more bytes than an object can have', () => {
    expect(() => planParts([range('a', 0, 500)], small)).toThrow('Expected at most 12 parts');
  });

  test.each([
    ['offset', -1, 1],
    ['length', 0, 1.5],
    ['offset', 2 ** 53, 1],
  ])('throws RangeError for a range with an invalid %s', (name, offset, length) => {
    expect(() => planParts([range('a', offset, length)])).toThrow(`non-negative integer for ${name}`);
  });
});
