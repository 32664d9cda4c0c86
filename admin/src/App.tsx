// Providers and the table of routes. Every page is a file of its own that is loaded when it is opened.
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { isStatus } from './api/errorText';
import { ApiError } from './api/apiError';
import { keys } from './api/queryKeys';
import { StartDialogProvider } from './jobs/start/StartDialogProvider';
import { LiveProvider } from './live/LiveProvider';
import { SessionGate } from './session/SessionGate';
import { useMe } from './session/useMe';
import { NotFoundPage } from './shell/NotFoundPage';
import { Shell } from './shell/Shell';
import { ToastProvider } from './shell/ToastProvider';
import { theme } from './theme';

const HomePage = lazy(() => import('./notifications/HomePage').then((room) => ({ default: room.HomePage })));
const JobsPage = lazy(() => import('./jobs/list/JobsPage').then((room) => ({ default: room.JobsPage })));
const JobPage = lazy(() => import('./jobs/detail/JobPage').then((room) => ({ default: room.JobPage })));
const HistoryPage = lazy(() => import('./deployments/HistoryPage').then((room) => ({ default: room.HistoryPage })));
const DeploymentPage = lazy(() =>
  import('./deployments/DeploymentPage').then((room) => ({ default: room.DeploymentPage })),
);

/** A session that ran out shows on whichever call comes first; SessionGate then asks for the password. */
function onError(error: unknown): void {
  if (isStatus(error, 401)) queries.setQueryData(keys.me, null);
}

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What the server refused it will refuse again.
      retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 2,
    },
  },
});

const colorSchemes = localStorageColorSchemeManager({ key: 'gantry-color-scheme' });

function Start() {
  return useMe().role === 'user' ? <HomePage /> : <Navigate to="/jobs" replace />;
}

function Pages() {
  const { role } = useMe();
  return (
    <Routes>
      <Route path="/" element={<Start />} />
      <Route path="/jobs" element={role === 'user' ? <NotFoundPage /> : <JobsPage />} />
      <Route path="/jobs/:jobId" element={<JobPage />} />
      <Route path="/deployments" element={<HistoryPage />} />
      <Route path="/deployments/:deploymentId" element={<DeploymentPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}

export function App({ nonce }: { nonce: string }) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queries}>
        <BrowserRouter basename="/admin">
          <ToastProvider>
            <SessionGate>
              <LiveProvider>
                <StartDialogProvider>
                  <Shell>
                    <Pages />
                  </Shell>
                </StartDialogProvider>
              </LiveProvider>
            </SessionGate>
          </ToastProvider>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}
