import { z } from 'zod';
import type { LogLevel } from './log.ts';
import { MAP_CONCURRENCY, type MemoryClass, type MemoryLimits, memoryLimits } from './limits.ts';
import { type RecipeRule, RecipeRules } from './recipe/choice.ts';

/** Settings of the functions, on AWS and on one machine. */
export interface Config {
  /**
   * S3, or folders below a workspace directory (see `storage/files/files.ts`). `endpoint`: address
   * of a store which is not Amazon S3.
   */
  readonly store:
    { readonly kind: 's3'; readonly endpoint?: string } | { readonly kind: 'files'; readonly workspace: string };
  readonly workBucket: string;
  readonly publishedBucket: string;
  /**
   * URL under which the published bucket is served, without a slash at the end; descriptors name
   * it. Undefined: they name paths from the root of their server.
   */
  readonly publicUrl?: string | undefined;
  /** URL of the image server of the stage, without a slash at the end, if it has one. */
  readonly serverUrl?: string | undefined;
  readonly defaultRecipe: string;
  /** Recipes by key prefix of the master; other masters get the default recipe. */
  readonly recipeRules: readonly RecipeRule[];
  /** Directory of the recipe files. */
  readonly recipesDirectory: string;
  /**
   * Number of functions that compute concurrently: the Map's iterations on Lambda, the cores on one
   * machine.
   */
  readonly concurrency: number;
  /** What the memory of the functions that render and convert allows. */
  readonly memory: MemoryLimits;
}

/**
 * The environment of a deployed function. This module is the only reader of `process.env` in the
 * functions.
 */
export interface DeployedConfig extends Config {
  readonly ledgerTable: string;
  /** State machine of the executions; only `start-pyramid` needs it. */
  readonly stateMachineArn: string | undefined;
  /**
   * EventBridge bus for notifications of published images; undefined: they are written to the log.
   */
  readonly eventBusName: string | undefined;
  readonly logLevel: LogLevel;
}

const environment = z.object({
  OBJECT_STORE: z
    .string()
    .regex(/^(s3|files:.+)$/u, 'Expected s3 or files:<workspace directory>')
    .default('s3'),
  WORK_BUCKET: z.string().min(1),
  PUBLISHED_BUCKET: z.string().min(1),
  // An empty string is the default of the stage parameter.
  PUBLIC_URL: z.union([z.literal(''), z.url()]).optional(),
  SERVER_URL: z.union([z.literal(''), z.url()]).optional(),
  LEDGER_TABLE: z.string().min(1),
  STATE_MACHINE_ARN: z.string().min(1).optional(),
  DEFAULT_RECIPE: z.string().min(1).default('default'),
  RECIPES_BY_PREFIX: RecipeRules.prefault(''),
  RECIPES_DIRECTORY: z.string().min(1).default('recipes'),
  FUNCTION_MEMORY: z.enum(Object.keys(memoryLimits) as MemoryClass[]).default('standard'),
  CONCURRENCY: z.coerce.number().int().min(1).default(MAP_CONCURRENCY),
  EVENT_BUS_NAME: z.string().min(1).optional(),
  // Read by the SDK too (AWS SDKs and Tools Reference, service-specific endpoints).
  AWS_ENDPOINT_URL: z.url().optional(),
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: z.string().optional(),
  LOG_LEVEL: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
});

/** Reads the configuration. Throws an error that names every missing or invalid variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): DeployedConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`Expected a complete environment:\n${z.prettifyError(parsed.error)}`);
  const values = parsed.data;
  return {
    store:
      values.OBJECT_STORE === 's3'
        ? { kind: 's3', ...otherEndpoint(values) }
        : { kind: 'files', workspace: values.OBJECT_STORE.slice('files:'.length) },
    workBucket: values.WORK_BUCKET,
    publishedBucket: values.PUBLISHED_BUCKET,
    ...(values.PUBLIC_URL ? { publicUrl: values.PUBLIC_URL.replace(/\/+$/u, '') } : {}),
    ...(values.SERVER_URL ? { serverUrl: values.SERVER_URL.replace(/\/+$/u, '') } : {}),
    ledgerTable: values.LEDGER_TABLE,
    stateMachineArn: values.STATE_MACHINE_ARN,
    defaultRecipe: values.DEFAULT_RECIPE,
    recipeRules: values.RECIPES_BY_PREFIX,
    recipesDirectory: values.RECIPES_DIRECTORY,
    concurrency: values.CONCURRENCY,
    memory: memoryLimits[values.FUNCTION_MEMORY],
    eventBusName: values.EVENT_BUS_NAME,
    logLevel: values.LOG_LEVEL,
  };
}

/** Hosts of Amazon S3, also through VPC endpoints, in all partitions. */
const AMAZON_HOST = /(^|\.)amazonaws\.(com|com\.cn|eu)$/u;

/** The endpoint of a store other than Amazon S3 that is configured for the SDK. */
function otherEndpoint(values: z.infer<typeof environment>): { endpoint?: string } {
  if (values.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return {};
  const endpoint = values.AWS_ENDPOINT_URL_S3 ?? values.AWS_ENDPOINT_URL;
  return endpoint === undefined || AMAZON_HOST.test(new URL(endpoint).hostname) ? {} : { endpoint };
}
