import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';

export interface Arguments {
  /** Files and folders, as typed. */
  readonly inputs: readonly string[];
  readonly out: string;
  readonly recipe: string;
  /** Directory of recipe files; undefined: the project's own. */
  readonly recipes: string | undefined;
  /** Where the embedded engine keeps what it must remember. */
  readonly workspace: string;
  /** Port of the Step Functions API on 127.0.0.1; 0 lets the system choose. */
  readonly port: number;
  /** Keep the API up until Ctrl-C. */
  readonly serve: boolean;
  readonly verbose: boolean;
  readonly action: 'run' | 'help' | 'list-recipes';
}

export const usage = `Usage: npm start -- [files or folders…] [options]

Turns images into tiled pyramid TIFFs. Without files it makes a sample image of 61 megapixels and takes that.

  --out DIR         where the pyramids go (default: published)
  --recipe NAME     what to make of the images (default: default); --list-recipes shows them
  --recipes DIR     where the recipes are (default: the project's own)
  --serve           keep the Step Functions API up afterwards, until Ctrl-C
  --port N          port of that API on 127.0.0.1 (default: any free one)
  --workspace DIR   where work in progress is kept, so that running again resumes (default: .stepwell)
  --verbose         the functions' logs, as JSON lines on stderr
  --list-recipes    the recipes there are
  --help            this text`;

/** Reads the command line. Throws UsageError saying which option is wrong. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`Expected a port from 0 to 65535 for --port but received ${values.port}`);
  }
  return {
    inputs: positionals,
    out: values.out,
    recipe: values.recipe,
    recipes: values.recipes,
    workspace: values.workspace,
    port,
    serve: values.serve,
    verbose: values.verbose,
    action: values.help ? 'help' : values['list-recipes'] ? 'list-recipes' : 'run',
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        out: { type: 'string', default: 'published' },
        recipe: { type: 'string', default: 'default' },
        recipes: { type: 'string' },
        workspace: { type: 'string', default: '.stepwell' },
        port: { type: 'string', default: '0' },
        serve: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        'list-recipes': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
