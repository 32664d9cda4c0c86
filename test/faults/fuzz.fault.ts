// The long form of test/hostile/fuzz.test.ts: ten thousand requests to every endpoint (reliability B3), FUZZ_RUNS where set.
import { startFuzzer, type Fuzzer } from '../support/fuzz';
import { OPERATIONS } from '../support/fuzzRequests';
import { startTestServer, type TestServer } from '../support/webServer';
import { randomNumbers, scaled, tell } from './settings';

const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(randomNumbers()() * 2 ** 31));
const RUNS = Number(process.env['FUZZ_RUNS'] ?? scaled(10_000));

let server: TestServer;
let fuzzer: Fuzzer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  fuzzer = await startFuzzer(server);
});
afterAll(async () => {
  await fuzzer?.stop();
  await server?.stop();
});

it.each(OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  `%s: ${RUNS} requests of FUZZ_SEED=${SEED}`,
  (_name, operation) => fuzzer.run(operation, { seed: SEED, runs: RUNS }),
);

it('works on', async () => {
  await fuzzer.expectSane();
  tell(`answers by status: ${JSON.stringify(Object.fromEntries(fuzzer.answers))}`);
});
