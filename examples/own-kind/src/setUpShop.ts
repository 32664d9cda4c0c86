// Makes the shop's table with some articles. A plug-in's tables live in a schema of their own: Gantry's are its own affair.
import { defineJob, sql, z } from 'gantry';

export const setUpShop = defineJob({
  kind: 'shop.set-up',
  title: 'Set up the shop',
  menu: ['Shop'],
  roles: ['superadmin'],
  params: z.strictObject({ articles: z.int().min(1).max(100_000).default(1000) }),
  run: async (ctx) => {
    const { articles } = ctx.params;
    ctx.log('info', `making ${articles} articles`);
    await sql`create schema if not exists shop`.execute(ctx.db);
    await sql`create table if not exists shop.article (sku text primary key, cents integer not null check (cents > 0))`.execute(
      ctx.db,
    );
    ctx.progress(0, articles);
    // Repeatable: after a crash the job runs again and finds what it made the first time.
    await sql`
      insert into shop.article (sku, cents) select 'A' || n, 100 * n from generate_series(1, ${articles}::int) as n
      on conflict do nothing`.execute(ctx.db);
    ctx.progress(articles, articles);
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from shop.article`.execute(ctx.db);
    return { articles: rows[0]?.count ?? 0 };
  },
});
