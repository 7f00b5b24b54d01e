import { describe, expect, test } from '@jest/globals';
import { parseArguments, usage } from '../../src/cli/arguments.ts';
import { UsageError } from '../../src/errors.ts';

describe('parseArguments', () => {
  test('returns a default for every option', () => {
    expect(parseArguments([])).toEqual({
      inputs: [],
      out: 'published',
      recipe: 'default',
      workspace: '.stepwell',
      ports: [0],
      serve: false,
      retry: false,
      verbose: false,
      action: 'run',
    });
  });

  test('accepts inputs and options in any order', () => {
    expect(
      parseArguments([
        'a b.tif',
        '--out=o',
        '--recipe',
        'iiif',
        'c',
        '--serve',
        '--port',
        '8123',
        '--workspace',
        'w',
        '--verbose',
        '--retry',
      ]),
    ).toEqual({
      inputs: ['a b.tif', 'c'],
      out: 'o',
      recipe: 'iiif',
      workspace: 'w',
      ports: [8123],
      serve: true,
      retry: true,
      verbose: true,
      action: 'run',
    });
  });

  test('prefers one port for the viewer, unless a port is given', () => {
    expect(parseArguments(['--serve']).ports).toEqual([8484, 0]);
    expect(parseArguments(['--serve', '--port', '0']).ports).toEqual([0]);
  });

  test('takes arguments after -- as inputs', () => {
    expect(parseArguments(['--', '-rf', '--option=value']).inputs).toEqual(['-rf', '--option=value']);
  });

  test.each([
    [['--help'], 'help'],
    [['-h', 'a.tif'], 'help'],
    [['--list-recipes'], 'list-recipes'],
    [['--help', '--list-recipes'], 'help'],
  ])('parses %j as the action %s', (argv, action) => {
    expect(parseArguments(argv).action).toBe(action);
  });

  test.each([
    [['--port', '65536'], '65536'],
    [['--port', '80.5'], '80.5'],
    [['--port', 'http'], 'http'],
    [['--port=-1'], '-1'],
  ])('throws UsageError for the port in %j', (argv, value) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(`--port but received ${value}`);
  });

  test.each([[['--ouput', 'x']], [['--recipe']], [['--serve=yes']], [['-x']]])(
    'throws UsageError with the usage for %j',
    (argv) => {
      expect(() => parseArguments(argv)).toThrow(UsageError);
      expect(() => parseArguments(argv)).toThrow(usage);
    },
  );

  test('describes every option in the usage', () => {
    for (const option of [
      '--out',
      '--recipe',
      '--serve',
      '--port',
      '--workspace',
      '--verbose',
      '--list-recipes',
      '--help',
    ])
      expect(usage).toContain(option);
  });
});
