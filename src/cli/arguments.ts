import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';

/** The parsed command line. */
export interface Arguments {
  /** Files and folders, as typed. */
  readonly inputs: readonly string[];
  readonly out: string;
  readonly recipe: string;
  /** Directory of recipe files; undefined for the project's recipes. */
  readonly recipes: string | undefined;
  /** Folder of the ledger, executions and work in progress. */
  readonly workspace: string;
  /**
   * Ports on 127.0.0.1, the first that is free is used; 0 lets the system choose. One if it was
   * given.
   */
  readonly ports: readonly number[];
  /** Serve the viewer and the images until Ctrl-C. */
  readonly serve: boolean;
  /** A file of labels for the manifests. */
  readonly labels: string | undefined;
  /** Process images again that ended as CRASHED. */
  readonly retry: boolean;
  readonly verbose: boolean;
  readonly action: 'run' | 'help' | 'list-recipes';
}

/** Port of the viewer unless another one is given or this one is in use. */
export const SERVE_PORT = 8484;

export const usage = `Usage: npm start -- [files or folders…] [options]

Converts images to tiled pyramid TIFFs. Without files or folders it converts a generated sample image of
61 megapixels; with --serve only if nothing is published yet.

  --out DIR         folder for the pyramids (default: published)
  --recipe NAME     recipe for the pyramids (default: default); see --list-recipes
  --recipes DIR     folder of recipe files (default: those of the project)
  --serve           serve the viewer, IIIF and Deep Zoom on 127.0.0.1 until Ctrl-C
  --port N          port on 127.0.0.1, of the Step Functions API too (default: any free port; with
                    --serve ${SERVE_PORT}, or any free port if that is in use)
  --workspace DIR   folder for work in progress; running the same command again resumes it
                    (default: .stepwell)
  --labels FILE     CSV file with titles and descriptions for the manifests; without files or folders
                    only the manifests of what is published are written again
  --retry           process images again that ended as CRASHED
  --verbose         print the logs of the functions as JSON lines on stderr
  --list-recipes    list the recipes and exit
  -h, --help        print this text and exit`;

/** Parses the command line. Throws UsageError with the invalid option. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(argv);
  return {
    inputs: positionals,
    out: values.out,
    recipe: values.recipe,
    recipes: values.recipes,
    workspace: values.workspace,
    ports: values.port === undefined ? (values.serve ? [SERVE_PORT, 0] : [0]) : [parsePort(values.port)],
    serve: values.serve,
    labels: values.labels,
    retry: values.retry,
    verbose: values.verbose,
    action: values.help ? 'help' : values['list-recipes'] ? 'list-recipes' : 'run',
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`Expected a port from 0 to 65535 for --port but received ${text}`);
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
        labels: { type: 'string' },
        workspace: { type: 'string', default: '.stepwell' },
        port: { type: 'string' },
        serve: { type: 'boolean', default: false },
        retry: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        'list-recipes': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
