// Jest runs TypeScript through swc; types are checked by `npm run types`.
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.(tsx?|js)$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // ES modules that are required at run time (Node 20.19 can); Jest's own require cannot, so they are translated.
  transformIgnorePatterns: ['/node_modules/(?!(openid-client|oauth4webapi|jose|@opentelemetry/otlp-exporter-base)/)'],
  globalSetup: '<rootDir>/test/support/globalSetup.ts',
  globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
  testTimeout: 30000,
  // One more than the cores of the smallest machine: most tests wait for servers and processes most of the time.
  maxWorkers: 3,
};
