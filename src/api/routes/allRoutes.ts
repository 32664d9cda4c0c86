// Every route there is, one line a resource. The router, openapi.json and the access matrix are made from this list.
import type { Route } from '../contract/endpoint';
import { accountRoutes } from './account';
import { approvalRoutes } from './approvals';
import { attemptRoutes } from './attempts';
import { bulkActionRoutes } from './bulkActions';
import { auditRoutes } from './audit';
import { compatRoutes } from './compat';
import { agentRoutes } from './deployments/agents';
import { artifactRoutes } from './deployments/artifacts';
import { deploymentRoutes } from './deployments/deployments';
import { previewRoutes } from './preview';
import { projectRoutes } from './deployments/projects';
import { figureRoutes } from './figures';
import { jobLogRoutes } from './jobLog';
import { jobRoutes } from './jobs';
import { jobStartRoutes } from './jobStart';
import { noticeRoutes } from './notices';
import { notificationRoutes } from './notifications';
import { oidcRoutes } from './oidc';
import { operationRoutes } from './operations';
import { resubmitRoutes } from './resubmit';
import { savedFilterRoutes } from './savedFilters';
import { retentionRoutes } from './retention';
import { systemRoutes } from './system';
import { userRoutes } from './users';

export const allRoutes: Route[] = [
  ...accountRoutes,
  ...oidcRoutes,
  ...userRoutes,
  ...jobStartRoutes,
  ...previewRoutes,
  ...jobRoutes,
  ...attemptRoutes,
  ...approvalRoutes,
  ...jobLogRoutes,
  ...bulkActionRoutes,
  ...resubmitRoutes,
  ...notificationRoutes,
  ...noticeRoutes,
  ...savedFilterRoutes,
  ...operationRoutes,
  ...projectRoutes,
  ...artifactRoutes,
  ...deploymentRoutes,
  ...agentRoutes,
  ...retentionRoutes,
  ...auditRoutes,
  ...compatRoutes,
  ...systemRoutes,
  ...figureRoutes,
];
