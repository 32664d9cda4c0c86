// The endpoints of the notification area.
import { z } from 'zod';
import { instant, page, paging } from './common';
import { endpoint } from './endpoint';
import { jobDoc } from './jobShapes';

export const listNotifications = endpoint({
  method: 'get',
  path: '/notifications',
  tag: 'notifications',
  summary: "The notification area: one's running and just-ended jobs",
  access: 'signedIn',
  query: z.strictObject({ limit: paging.limit }),
  response: page(jobDoc.extend({ read: z.boolean() })).extend({
    unread: z.int(),
    running: z.int(),
    /** Open alerts, for superadmins; 0 for all others. */
    alerts: z.int(),
  }),
});
export const markNotificationsRead = endpoint({
  method: 'post',
  path: '/notifications/read',
  tag: 'notifications',
  summary: 'All that has ended until now was seen',
  access: 'signedIn',
  body: z.strictObject({}),
  response: z.object({ readAt: instant }),
});
