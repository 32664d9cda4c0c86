// Stops what globalSetup started and removes its scratch folder.
import { rmSync } from 'node:fs';
import type { EmbeddedServer } from '../../src/db/embeddedServer';
import type { RedisServer } from './redisServer';

export default async function globalTeardown(): Promise<void> {
  const { server, redis, scratch } = (
    globalThis as unknown as {
      gantryTestServers: { server: EmbeddedServer; redis: RedisServer | null; scratch: string };
    }
  ).gantryTestServers;
  await redis?.stop();
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
}
