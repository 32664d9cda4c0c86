// The rules of the house that a machine can check (CONTRIBUTING.md says why each exists). Imports between rooms are checked
// by dependency-cruiser, the layout of lines by prettier.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'The environment is read in src/config alone; take the value from Config.',
};
const DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: one name for one thing everywhere.',
};
const JEST_MOCK = {
  selector: "CallExpression[callee.object.name='jest'][callee.property.name=/^(mock|doMock|unstable_mockModule)$/]",
  message: 'Our own modules are never mocked: run the real service, or fake the outer edge (test/support).',
};

export default tseslint.config(
  {
    ignores: ['node_modules/', 'dist/', 'coverage/', '**/generated/', '.gantry*/', 'admin/dist/'],
  },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'smart'],
      'no-console': 'off',
      // U+0000 and the other control characters are exactly what some checks look for.
      'no-control-regex': 'off',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', DEFAULT_EXPORT, JEST_MOCK],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-syntax': ['error', DEFAULT_EXPORT, ENVIRONMENT],
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
    },
  },
  {
    files: ['test/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    },
  },
  {
    // A promise that nobody waits for hides its failure; a forgotten case hides a new state.
    files: ['src/**/*.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // What talks to a person at a terminal prints; all else logs.
    files: ['src/cli/**/*.ts', 'src/demo/**/*.ts', 'src/main.ts'],
    rules: { 'no-console': 'off' },
  },
  // Commands are loaded when they run.
  { files: ['src/cli/load.ts'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['src/config/**/*.ts'], rules: { 'no-restricted-syntax': ['error', DEFAULT_EXPORT] } },
  {
    // Jest takes its set-up and tear-down as default exports, tools their configuration.
    files: ['test/support/global*.ts', '*.config.mjs', '*.config.ts', 'admin/vite.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: Object.fromEntries(
        ['require', 'module', 'process', 'console', '__dirname', 'Buffer', 'setTimeout'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
