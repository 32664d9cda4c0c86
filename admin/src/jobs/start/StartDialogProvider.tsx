// Holds the start dialog above all pages, so that it survives a change of page; its code comes when it is first opened.
import { createContext, lazy, Suspense, useCallback, useContext, useState, type ReactNode } from 'react';
import type { Job } from '../../api/types';

const StartDialog = lazy(() => import('./StartDialog').then((room) => ({ default: room.StartDialog })));

const StartContext = createContext<(from?: Job) => void>(() => undefined);

export function StartDialogProvider({ children }: { children: ReactNode }) {
  const [opening, setOpening] = useState<{ from: Job | null; number: number } | null>(null);
  const open = useCallback(
    (from?: Job) => setOpening((last) => ({ from: from ?? null, number: (last?.number ?? 0) + 1 })),
    [],
  );
  return (
    <StartContext.Provider value={open}>
      {children}
      {opening && (
        <Suspense fallback={null}>
          <StartDialog key={opening.number} from={opening.from} onClose={() => setOpening(null)} />
        </Suspense>
      )}
    </StartContext.Provider>
  );
}

/** With a job: edit and resubmit that one. */
export function useStartDialog(): (from?: Job) => void {
  return useContext(StartContext);
}
