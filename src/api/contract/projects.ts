// The endpoints of projects, their members, stages, scenarios and artifacts. Implemented in routes/deployments/projects.ts and
// artifacts.ts; the shapes are in deploymentShapes.ts.
import { z } from 'zod';
import { page, paging } from './common';
import * as shapes from './deploymentShapes';
import { endpoint, SUPERADMIN } from './endpoint';

const id = shapes.pathId;
const inProject = z.strictObject({ projectId: id });
const ofScenario = z.strictObject({ projectId: id, scenarioId: id });
const ofStage = z.strictObject({ projectId: id, stageId: id });
const ofArtifact = z.strictObject({ projectId: id, artifactId: id });
const pages = z.strictObject(paging);
const projects = { tag: 'Projects', access: 'signedIn' } as const;
const ruled = { tag: 'Projects', access: SUPERADMIN } as const;

export const listProjects = endpoint({
  ...projects,
  method: 'get',
  path: '/projects',
  summary: 'Projects that the caller is a member of; a superadmin sees all',
  query: pages,
  response: page(shapes.projectDoc),
});
export const createProject = endpoint({
  ...ruled,
  method: 'post',
  path: '/projects',
  summary: 'Make a project',
  body: shapes.projectBody,
  status: 201,
  response: shapes.projectDoc,
});
export const getProject = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId',
  summary: 'One project',
  params: inProject,
  response: shapes.projectDoc,
});
export const renameProject = endpoint({
  ...ruled,
  method: 'patch',
  headers: ['If-Match'],
  path: '/projects/:projectId',
  summary: 'Rename a project; takes If-Match',
  params: inProject,
  body: shapes.projectBody,
  response: shapes.projectDoc,
});
export const deleteProject = endpoint({
  ...ruled,
  method: 'delete',
  path: '/projects/:projectId',
  summary: 'Delete an empty project; its deployment history stays',
  params: inProject,
  status: 204,
});

export const listMembers = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/members',
  summary: 'Members and what they may do',
  params: inProject,
  query: pages,
  response: page(shapes.memberDoc),
});
export const setMember = endpoint({
  ...ruled,
  method: 'post',
  path: '/projects/:projectId/members',
  summary: 'Add a member, or replace what it may do',
  params: inProject,
  body: shapes.memberBody,
  status: 201,
  response: shapes.memberDoc,
});
export const removeMember = endpoint({
  ...ruled,
  method: 'delete',
  path: '/projects/:projectId/members/:userId',
  summary: 'Remove a member',
  params: z.strictObject({ projectId: id, userId: z.uuid() }),
  status: 204,
});

export const listStages = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/stages',
  summary: 'Stages of a project',
  params: inProject,
  query: pages,
  response: page(shapes.stageDoc),
});
export const createStage = endpoint({
  ...ruled,
  method: 'post',
  path: '/projects/:projectId/stages',
  summary: 'Make a stage',
  params: inProject,
  body: shapes.stageBody,
  status: 201,
  response: shapes.stageDoc,
});
export const getStage = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/stages/:stageId',
  summary: 'One stage',
  params: ofStage,
  response: shapes.stageDoc,
});
export const updateStage = endpoint({
  ...ruled,
  method: 'patch',
  headers: ['If-Match'],
  path: '/projects/:projectId/stages/:stageId',
  summary: 'Change the target of a stage; takes If-Match',
  params: ofStage,
  body: shapes.stagePatch,
  response: shapes.stageDoc,
});
export const deleteStage = endpoint({
  ...ruled,
  method: 'delete',
  path: '/projects/:projectId/stages/:stageId',
  summary: 'Delete a stage that no scenario names',
  params: ofStage,
  status: 204,
});

export const listScenarios = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/scenarios',
  summary: 'Scenarios of a project',
  params: inProject,
  query: pages,
  response: page(shapes.scenarioDoc),
});
export const createScenario = endpoint({
  ...projects,
  method: 'post',
  path: '/projects/:projectId/scenarios',
  summary: 'Make a scenario; takes the permission deploy',
  params: inProject,
  body: shapes.scenarioBody,
  status: 201,
  response: shapes.scenarioDoc,
});
export const getScenario = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/scenarios/:scenarioId',
  summary: 'One scenario',
  params: ofScenario,
  response: shapes.scenarioDoc,
});
export const updateScenario = endpoint({
  ...projects,
  method: 'patch',
  headers: ['If-Match'],
  path: '/projects/:projectId/scenarios/:scenarioId',
  summary: 'Change description or config of a scenario; takes If-Match and the permission deploy',
  params: ofScenario,
  body: shapes.scenarioPatch,
  response: shapes.scenarioDoc,
});
export const deleteScenario = endpoint({
  ...projects,
  method: 'delete',
  path: '/projects/:projectId/scenarios/:scenarioId',
  summary: 'Delete a scenario that no deployment under way runs; takes the permission deploy',
  params: ofScenario,
  status: 204,
});
export const deploy = endpoint({
  ...projects,
  method: 'post',
  path: '/projects/:projectId/scenarios/:scenarioId/deploy',
  summary: 'Deploy an artifact; takes the permission deploy',
  params: ofScenario,
  body: shapes.deployBody,
  status: 202,
  response: shapes.deployAnswer,
});

export const listArtifacts = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/artifacts',
  summary: 'Artifacts of a project, newest first',
  params: inProject,
  query: pages,
  response: page(shapes.artifactDoc),
});
export const uploadArtifact = endpoint({
  ...projects,
  method: 'post',
  path: '/projects/:projectId/artifacts',
  summary: 'Upload an artifact as the part `file`; takes the permission deploy',
  params: inProject,
  rawBody: { contentTypes: ['multipart/form-data'], parts: { file: 'file' } },
  status: 201,
  response: shapes.artifactDoc,
});
export const getArtifact = endpoint({
  ...projects,
  method: 'get',
  path: '/projects/:projectId/artifacts/:artifactId',
  summary: 'One artifact',
  params: ofArtifact,
  response: shapes.artifactDoc,
});
export const deleteArtifact = endpoint({
  ...projects,
  method: 'delete',
  path: '/projects/:projectId/artifacts/:artifactId',
  summary: 'Delete an artifact that no deployment under way uses; takes the permission deploy',
  params: ofArtifact,
  status: 204,
});
