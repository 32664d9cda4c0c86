// A program of its own for the kill tests (startAgent.ts compiles it): agentProcess SERVER ROOT [TOKEN]
import { createLogger } from '../../src/lib/logger';
import { runAgent } from '../../src/agent/runAgent';

const [server = '', root = '', enrolToken] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
runAgent({ server, root, enrolToken, logger: createLogger({ level: 'warn' }), signal: stop.signal }).catch(
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
