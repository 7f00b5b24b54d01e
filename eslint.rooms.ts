/**
 * The folders of src and what each may import: the single statement of the dependency rules. eslint.config.js enforces
 * it, docs/architecture.md prints it, and tests/architecture.test.ts holds both against the imports that exist.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  bytes: [],
  database: [],
  isolation: [],
  recipe: [],
  storage: [],
  ledger: ['database'],
  stepfunctions: ['database'],
  tiff: ['bytes'],
  pyramid: ['recipe', 'tiff'],
  notifications: ['ledger'],
  executions: ['stepfunctions'],
  metadata: ['bytes', 'tiff'],
  imaging: ['bytes', 'isolation', 'pyramid', 'recipe', 'tiff'],
  formats: ['bytes', 'imaging', 'isolation', 'metadata', 'pyramid', 'recipe', 'tiff'],
  published: ['bytes', 'imaging', 'metadata', 'pyramid', 'storage', 'tiff'],
  delivery: ['imaging', 'ledger', 'outputs', 'published', 'pyramid', 'recipe', 'storage', 'tiff'],
  work: ['bytes', 'formats', 'imaging', 'ledger', 'metadata', 'pyramid', 'recipe', 'storage', 'tiff'],
  outputs: ['imaging', 'ledger', 'published', 'pyramid', 'recipe', 'storage', 'work'],
  intake: ['executions', 'ledger', 'recipe', 'work'],
  steps: [
    'bytes',
    'formats',
    'imaging',
    'intake',
    'ledger',
    'metadata',
    'outputs',
    'pyramid',
    'recipe',
    'runtime.ts',
    'storage',
    'tiff',
    'work',
  ],
  handlers: ['delivery', 'intake', 'ledger', 'outputs', 'recipe', 'runtime.ts'],
  viewer: ['ledger', 'outputs', 'storage', 'work'],
  local: [
    'config.ts',
    'database',
    'delivery',
    'executions',
    'ledger',
    'notifications',
    'outputs',
    'recipe',
    'runtime.ts',
    'stepfunctions',
    'storage',
    'viewer',
  ],
  cli: ['imaging', 'ledger', 'local', 'recipe', 'stepfunctions'],
};

/** Files at the root of src that every folder may import. */
export const shared: readonly string[] = ['errors.ts', 'limits.ts', 'log.ts', 'parallel.ts', 'service-errors.ts'];

/** Files at the root of src that only the folders which name them above may import. */
export const restricted: readonly string[] = ['config.ts', 'runtime.ts'];

/** Folders without AWS, files, environment or clock. */
export const pure: readonly string[] = ['pyramid', 'tiff'];
