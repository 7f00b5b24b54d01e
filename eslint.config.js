import tseslint from 'typescript-eslint';

/** Who may import whom. A folder's list is what it must NOT reach; see docs/architecture.md. */
const folders = [
  'handlers',
  'steps',
  'pyramid',
  'tiff',
  'metadata',
  'imaging',
  'convert',
  'storage',
  'ledger',
  'local',
  'cli',
];
const mayImport = {
  pyramid: [],
  tiff: [],
  metadata: ['pyramid', 'tiff', 'convert'],
  imaging: ['pyramid', 'tiff'],
  convert: ['pyramid', 'tiff', 'imaging'],
  storage: [],
  ledger: [],
  steps: ['pyramid', 'tiff', 'metadata', 'imaging', 'convert', 'storage', 'ledger'],
  handlers: ['storage', 'ledger'],
  local: ['storage', 'ledger', 'pyramid'],
  cli: ['local', 'storage', 'ledger', 'pyramid', 'tiff', 'imaging'],
};
const pure = ['pyramid', 'tiff'];

const boundaries = Object.entries(mayImport).map(([folder, allowed]) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: folders
              .filter((other) => other !== folder && !allowed.includes(other))
              .flatMap((other) => [`../${other}/*`, `../../${other}/*`]),
            message: `src/${folder} may import only ${allowed.join(', ') || 'errors and limits'}.`,
          },
          ...(folder === 'imaging' ? [] : [{ group: ['sharp'], message: 'Only src/imaging imports sharp.' }]),
          ...(pure.includes(folder)
            ? [{ group: ['@aws-sdk/*', 'node:*', '../config.ts', '../log.ts', '../runtime.ts'], message: 'Pure code.' }]
            : []),
          ...(['metadata', 'imaging', 'convert', 'storage', 'ledger'].includes(folder)
            ? [{ group: ['../config.ts', '../runtime.ts'], message: 'Adapters are given what they need.' }]
            : []),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  {
    ignores: ['node_modules', '.serverless', '.esbuild', '.stepwell', 'published', 'coverage', 'layers/*/nodejs'],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'The environment is read in config.ts; runtime.ts hands it over.',
        },
      ],
    },
  },
  {
    files: ['src/runtime.ts', 'src/cli/**/*.ts', 'src/local/**/*.ts', 'tests/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  ...boundaries,
);
