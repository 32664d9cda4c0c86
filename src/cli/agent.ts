// `gantry agent`: runs the agent until a signal asks it to stop. It needs neither database nor configuration.
import { runAgent } from '../agent/runAgent';
import { createLogger } from '../lib/logger';
import { listenForEnd } from './untilSignal';

export async function agent(options: { server: string; root: string; enrol?: string }): Promise<void> {
  const logger = createLogger({ level: 'info', name: 'gantry-agent' });
  const end = listenForEnd((signal) => logger.info({ signal }, 'stopping; a second signal leaves at once'));
  try {
    await runAgent({
      server: options.server,
      root: options.root,
      enrolToken: options.enrol,
      logger,
      signal: end.signal,
    });
  } finally {
    end.release();
  }
}
