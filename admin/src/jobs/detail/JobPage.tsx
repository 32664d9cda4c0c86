// One job: header, timeline and the tabs. The open tab and the run looked at stand in the address.
import { Grid, Paper, Stack, Tabs, Title } from '@mantine/core';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { isStatus } from '../../api/errorText';
import { useMe } from '../../session/useMe';
import { ErrorNote } from '../../shell/ErrorNote';
import { LoadingRows } from '../../shell/LoadingRows';
import { NotFoundPage } from '../../shell/NotFoundPage';
import { usePageTitle } from '../../shell/usePageTitle';
import { useJob } from '../useJob';
import { ErrorsTab } from './ErrorsTab';
import { JobHeader } from './JobHeader';
import { LogTab } from './LogTab';
import { OverviewTab } from './OverviewTab';
import { ParametersTab } from './ParametersTab';
import { RunsTab } from './RunsTab';
import { Timeline } from './Timeline';

export function JobPage() {
  const { jobId = '' } = useParams();
  const navigate = useNavigate();
  const { role } = useMe();
  const [params, setParams] = useSearchParams();
  const job = useJob(jobId);
  usePageTitle(job.data?.title ?? 'Job');

  // 422: an id that is no id.
  if (isStatus(job.error, 404) || isStatus(job.error, 422)) return <NotFoundPage what="This job" />;
  if (job.data === undefined) {
    return job.isError ? <ErrorNote error={job.error} onRetry={() => void job.refetch()} /> : <LoadingRows />;
  }
  const tab = params.get('tab') ?? 'overview';
  const run = Number(params.get('run')) || null;
  const change = (values: Record<string, string | null>) =>
    setParams(
      (now) => {
        const next = new URLSearchParams(now);
        for (const [name, value] of Object.entries(values)) {
          if (value === null) next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  // A cause of one run need not be one of another.
  const setRun = (value: number | null) => change({ run: value === null ? null : String(value), code: null });
  const { errorCount } = job.data;

  return (
    <Stack gap="md">
      {job.isError && <ErrorNote error={job.error} onRetry={() => void job.refetch()} />}
      <JobHeader job={job.data} onDeleted={() => void navigate(role === 'user' ? '/' : '/jobs')} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 9 }}>
          <Paper withBorder>
            <Tabs
              value={tab}
              onChange={(value) => change({ tab: value === 'overview' ? null : value })}
              keepMounted={false}
            >
              <Tabs.List px="xs">
                <Tabs.Tab value="overview">Overview</Tabs.Tab>
                <Tabs.Tab value="errors">{errorCount > 0 ? `Errors (${errorCount})` : 'Errors'}</Tabs.Tab>
                <Tabs.Tab value="log">Log</Tabs.Tab>
                <Tabs.Tab value="parameters">Parameters</Tabs.Tab>
                <Tabs.Tab value="runs">{`Runs (${job.data.run})`}</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="overview" p="md">
                <OverviewTab job={job.data} />
              </Tabs.Panel>
              <Tabs.Panel value="errors" p="md">
                <ErrorsTab
                  job={job.data}
                  run={run}
                  code={params.get('code')}
                  onRun={setRun}
                  onCode={(code) => change({ code })}
                />
              </Tabs.Panel>
              <Tabs.Panel value="log" p="md">
                <LogTab job={job.data} run={run} onRun={setRun} />
              </Tabs.Panel>
              <Tabs.Panel value="parameters" p="md">
                <ParametersTab job={job.data} />
              </Tabs.Panel>
              <Tabs.Panel value="runs" p="md">
                <RunsTab job={job.data} />
              </Tabs.Panel>
            </Tabs>
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 3 }}>
          <Paper withBorder p="md">
            <Title order={2} size="h5" mb="sm">
              Timeline
            </Title>
            <Timeline jobId={job.data.id} version={job.data.version} />
          </Paper>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}
