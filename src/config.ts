import { z } from 'zod';
import type { LogLevel } from './log.ts';
import { MAP_CONCURRENCY, type MemoryClass, type MemoryLimits, memoryLimits } from './limits.ts';
import { type RecipeRule, RecipeRules } from './recipe/choice.ts';

/** Settings of the functions, on AWS and on one machine. */
export interface Config {
  /** S3, or folders below a workspace directory (see `storage/files/files.ts`). */
  readonly store: { readonly kind: 's3' } | { readonly kind: 'files'; readonly workspace: string };
  readonly workBucket: string;
  readonly publishedBucket: string;
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
  LEDGER_TABLE: z.string().min(1),
  STATE_MACHINE_ARN: z.string().min(1).optional(),
  DEFAULT_RECIPE: z.string().min(1).default('default'),
  RECIPES_BY_PREFIX: RecipeRules.prefault(''),
  RECIPES_DIRECTORY: z.string().min(1).default('recipes'),
  FUNCTION_MEMORY: z.enum(Object.keys(memoryLimits) as MemoryClass[]).default('standard'),
  CONCURRENCY: z.coerce.number().int().min(1).default(MAP_CONCURRENCY),
  EVENT_BUS_NAME: z.string().min(1).optional(),
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
        ? { kind: 's3' }
        : { kind: 'files', workspace: values.OBJECT_STORE.slice('files:'.length) },
    workBucket: values.WORK_BUCKET,
    publishedBucket: values.PUBLISHED_BUCKET,
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
