// Requests made from the contract itself against every endpoint (reliability B3): valid, nearly valid and rubbish ones. No
// answer is a fault of ours, each is as the contract says, and the server works on. FUZZ_SEED=n repeats a run; the long form
// is in test/faults.
import { startFuzzer, type Fuzzer } from '../support/fuzz';
import { OPERATIONS } from '../support/fuzzRequests';
import { startTestServer, type TestServer } from '../support/webServer';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20);

let server: TestServer;
let fuzzer: Fuzzer;
beforeAll(async () => {
  server = await startTestServer({ env: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  fuzzer = await startFuzzer(server);
}, 60_000);
afterAll(async () => {
  await fuzzer?.stop();
  await server?.stop();
});

it.each(OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  `%s (FUZZ_SEED=${SEED})`,
  (_name, operation) => fuzzer.run(operation, { seed: SEED, runs: RUNS }),
);

it('reached what lies behind the checks, and works on', async () => {
  await fuzzer.expectSane();
  const share = (status: number): number => (fuzzer.answers.get(status) ?? 0) / (OPERATIONS.length * RUNS);
  for (const [status, least] of Object.entries({ 200: 0.1, 422: 0.1, 404: 0.02, 401: 0.02, 403: 0.02 })) {
    expect([status, share(Number(status)) > least]).toEqual([status, true]);
  }
});
