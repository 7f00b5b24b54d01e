import { describe, expect, test } from '@jest/globals';
import { MAX_LABELS_BYTES, parseLabels } from '../../../src/outputs/presentation/labels.ts';
import { compareNames } from '../../../src/outputs/presentation/natural-order.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => {
  const { rows, problems } = parseLabels(bytes(text));
  return { rows: [...rows.values()], problems };
};

describe('labels of a CSV file', () => {
  test('titles, descriptions and pairs are read by column, in any letter case and order', () => {
    const { rows, problems } = read(
      'Title,IDENTIFIER,Shelf mark,Description\r\nThe map,maps/1,"Ms. 4, f. 2",Drawn 1650\r\n',
    );
    expect(problems).toEqual([]);
    expect(rows).toEqual([
      {
        line: 2,
        rank: 0,
        identifier: 'maps/1',
        title: 'The map',
        description: 'Drawn 1650',
        pairs: [{ label: 'Shelf mark', value: 'Ms. 4, f. 2' }],
      },
    ]);
  });

  test('a byte order mark, semicolons, tabs and line ends of every kind are accepted', () => {
    for (const [delimiter, end] of [
      [',', '\n'],
      [';', '\r\n'],
      ['\t', '\r'],
    ] as const) {
      const text = [
        ['identifier', 'title'],
        ['a', 'Čeští, ptáci; 1'],
      ].map((row) => row.map((cell) => (cell.includes(delimiter) ? `"${cell}"` : cell)).join(delimiter));
      const { rows, problems } = read(`\uFEFF${text.join(end)}${end}`);
      expect(problems).toEqual([]);
      expect(rows.map(({ identifier, title }) => [identifier, title])).toEqual([['a', 'Čeští, ptáci; 1']]);
    }
  });

  test('quoted values may have line ends and doubled quotes, and problems name the line after them', () => {
    const { rows, problems } = read('identifier,title\na,"two\nlines, ""quoted"""\n,nobody\na,again\n');
    expect(rows.map(({ title }) => title)).toEqual(['two\nlines, "quoted"']);
    expect(problems).toEqual([
      { line: 4, message: 'the row has no identifier' },
      { line: 5, message: '"a" has a row already, on line 3, which is used' },
    ]);
  });

  test('a file without the column of identifiers is reported and not used', () => {
    const { rows, problems } = read('name,title\na,A\n');
    expect(rows).toEqual([]);
    expect(problems).toEqual([
      {
        line: 1,
        message:
          'the first row has no column "identifier"; it must be identifier,title,description; no label of it is used',
      },
    ]);
    expect(read('').problems[0]?.message).toMatch(/^the file is empty/u);
  });

  test('a file without the column of titles keeps the embedded titles', () => {
    const { rows, problems } = read('identifier,description\na,Text\n');
    expect(rows).toMatchObject([{ identifier: 'a', title: undefined, description: 'Text' }]);
    expect(problems).toEqual([{ line: 1, message: 'there is no column "title"; embedded titles are used' }]);
  });

  test('short and long rows, empty lines and control characters do no harm', () => {
    const { rows, problems } = read('identifier,title,note\na\n\n  ,, \nb,B\u0000\u0007,1,2,3\n');
    expect(problems).toEqual([]);
    expect(rows).toMatchObject([
      { identifier: 'a', title: undefined, pairs: [] },
      { identifier: 'b', title: 'B', pairs: [{ label: 'note', value: '1' }] },
    ]);
  });

  test('rows before a fault of syntax are used, and the fault is reported by line', () => {
    expect(read('identifier,title\na,A\nb,"B\nc,C\n')).toMatchObject({
      rows: [{ identifier: 'a' }],
      problems: [{ line: 3, message: 'a quoted value does not end; this row and those after it are not used' }],
    });
    expect(read('identifier,title\na,A\nb,"B" x\n')).toMatchObject({
      rows: [{ identifier: 'a' }],
      problems: [{ line: 3, message: expect.stringMatching(/^a quote stands within a value/u) }],
    });
  });

  test('hostile files end early: long rows, many columns, many faults, large files', () => {
    const endless = read(`identifier,title\na,A\nb,"${'x\n'.repeat(2 ** 18)}`);
    expect(endless.rows).toHaveLength(1);
    expect(endless.problems).toMatchObject([{ line: 3, message: expect.stringMatching(/^the row has more than/u) }]);
    const wide = read(
      `identifier,${Array.from({ length: 5000 }, (_, n) => `c${n}`).join(',')}\na${',v'.repeat(5000)}\n`,
    );
    expect(wide.rows[0]?.pairs).toHaveLength(99);
    expect(wide.problems.map(({ message }) => message)).toContain('columns after the first 100 are not used');
    const faulty = read(`identifier,title\n${',x\n'.repeat(1000)}`);
    expect(faulty.problems).toHaveLength(101);
    expect(faulty.problems.at(-1)).toEqual({ line: 102, message: '900 further problems from here on' });
    expect(parseLabels(new Uint8Array(MAX_LABELS_BYTES + 1)).problems[0]?.message).toMatch(/more than 32 MiB/u);
  });

  test('a file in another encoding is reported with the remedy', () => {
    expect(parseLabels(Uint8Array.of(0xff, 0xfe, 0x69, 0)).problems[0]?.message).toMatch(/UTF-16; save it as/u);
    expect(parseLabels(Uint8Array.of(0x69, 0xe9, 0x0a)).problems[0]?.message).toMatch(/not UTF-8; save it as/u);
  });

  test('identifiers are compared in composed form, as file names of macOS are decomposed', () => {
    expect([...parseLabels(bytes('identifier\ncafe\u0301\n')).rows.keys()]).toEqual(['caf\u00e9']);
  });
});

test('file names are sorted as people sort them', () => {
  const sorted = ['page 1', 'Page 2', 'page 2', 'page 10', 'página 3', 'z', 'zoë 2', 'ZOE 10'];
  for (let turn = 0; turn < sorted.length; turn++) {
    const turned = [...sorted.slice(turn), ...sorted.slice(0, turn)];
    expect(turned.sort(compareNames)).toEqual(sorted);
  }
});
