import tseslint from 'typescript-eslint';
import { mayImport, pure, restricted } from './eslint.rooms.ts';

const rooms = Object.keys(mayImport);

/** How deep folders nest below src. */
const depths = [0, 1, 2];

const boundaries = Object.entries(mayImport).flatMap(([room, allowed]) =>
  depths.map((depth) => ({
    files: [`src/${room}/${'*/'.repeat(depth)}*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: forbidden(room, allowed, depth) }] },
  })),
);

function forbidden(room, allowed, depth) {
  const up = '../'.repeat(depth + 1);
  const others = rooms.filter((other) => other !== room && !allowed.includes(other)).map((other) => `${up}${other}/**`);
  const files = restricted.filter((file) => !allowed.includes(file)).map((file) => `${up}${file}`);
  return [
    {
      group: [...others, ...files],
      message: `src/${room} may import ${allowed.join(', ') || 'errors and limits only'}; see eslint.rooms.ts.`,
    },
    ...(room === 'imaging' ? [] : [{ group: ['sharp'], message: 'Only src/imaging imports sharp.' }]),
    ...(pure.includes(room) ? [{ group: ['@aws-sdk/*', 'node:*', `${up}log.ts`], message: 'Pure code.' }] : []),
  ];
}

export default tseslint.config(
  {
    ignores: ['node_modules', '.serverless*', '.esbuild', '.stepwell', 'published', 'coverage', 'layers/*/nodejs'],
  },
  {
    // The scripts of the viewer's pages have types in comments.
    files: ['**/*.ts', 'src/viewer/page/*.js'],
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
    files: [
      'src/runtime.ts',
      'src/cli/**/*.ts',
      'src/local/**/*.ts',
      'src/stepfunctions/**/*.ts',
      'tests/**/*.ts',
      'bench/**/*.ts',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
  ...boundaries,
);
