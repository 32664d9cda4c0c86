// Composes what handlers may use of the outside: for the worker (app.ts), and for its processes of their own (isolateChild.ts).
import { hashPassword } from '../api/auth/passwords';
import type { Config } from '../config/config';
import type { Waker } from '../db/wake';
import type { HandlerDeps } from '../jobs/define';
import { createCallOperation } from '../jobs/massActions/callOperation';

export function composeHandlerDeps(config: Config, waker: Waker): { handlerDeps: HandlerDeps; close(): Promise<void> } {
  const callOperation = createCallOperation({ allowHosts: config.operationsAllowHosts });
  return {
    handlerDeps: { callOperation, hashPassword, wakeAgents: () => waker.wake('gantry_agent') },
    close: callOperation.close,
  };
}
