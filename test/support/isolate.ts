// How workers of tests start processes of their own.
import path from 'node:path';
import type { Config } from '../../src/config/config';
import type { IsolateOptions } from '../../src/workers/isolate/isolates';

export function testIsolate(config: Config, databaseUrl: string): IsolateOptions {
  return {
    entry: path.join(__dirname, 'isolateChild.ts'),
    execArgv: ['-r', path.join(__dirname, 'swcRegister.cjs')],
    init: { config: { ...config, logLevel: process.env['GANTRY_TEST_LOG'] ?? 'silent' }, databaseUrl },
  };
}
