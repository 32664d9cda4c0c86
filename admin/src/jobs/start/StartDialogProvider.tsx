// Holds the start dialog above all pages, so that it survives a change of page; its code comes when it is first opened.
import { createContext, lazy, Suspense, useCallback, useContext, useState, type ReactNode } from 'react';

const StartDialog = lazy(() => import('./StartDialog').then((room) => ({ default: room.StartDialog })));

const StartContext = createContext<(kind?: string) => void>(() => undefined);

export function StartDialogProvider({ children }: { children: ReactNode }) {
  const [opening, setOpening] = useState<{ kind: string | null; number: number } | null>(null);
  const open = useCallback(
    (kind?: string) => setOpening((last) => ({ kind: kind ?? null, number: (last?.number ?? 0) + 1 })),
    [],
  );
  return (
    <StartContext.Provider value={open}>
      {children}
      {opening && (
        <Suspense fallback={null}>
          <StartDialog key={opening.number} firstKind={opening.kind} onClose={() => setOpening(null)} />
        </Suspense>
      )}
    </StartContext.Provider>
  );
}

export function useStartDialog(): (kind?: string) => void {
  return useContext(StartContext);
}
