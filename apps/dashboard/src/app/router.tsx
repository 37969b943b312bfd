import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ErrorNote } from '../ui/note.tsx';
import { Loading } from '../ui/region.tsx';
import { Shell } from './shell.tsx';
import { shell } from './strings.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

/** Which one of a page's list is open. */
const chosen = ({ id }: Record<string, unknown>): { readonly id?: string } => (typeof id === 'string' ? { id } : {});

/** The same, and at which device it is, when it is not here. */
const chosenAt = ({ id, at }: Record<string, unknown>): { readonly id?: string; readonly at?: string } => ({
  ...chosen({ id }),
  ...(typeof at === 'string' ? { at } : {}),
});

/** The market has a view for each kind of thing beside the books. */
const part = ({ part: of }: Record<string, unknown>): { readonly part?: 'models' | 'storage' | 'nodes' } =>
  of === 'models' || of === 'storage' || of === 'nodes' ? { part: of } : {};

const routeTree = root.addChildren([
  createRoute({
    getParentRoute: () => root,
    path: '/',
    component: lazyRouteComponent(() => import('../home/page.tsx'), 'HomePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/chat',
    component: lazyRouteComponent(() => import('../chat/page.tsx'), 'ChatPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/shares',
    component: lazyRouteComponent(() => import('../shares/page.tsx'), 'SharesPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/tasks',
    component: lazyRouteComponent(() => import('../tasks/page.tsx'), 'TasksPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/messages',
    component: lazyRouteComponent(() => import('../messages/page.tsx'), 'MessagesPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/files',
    validateSearch: ({ to }: Record<string, unknown>): { readonly to?: string } =>
      typeof to === 'string' ? { to } : {},
    component: lazyRouteComponent(() => import('../files/page.tsx'), 'FilesPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/groups',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../groups/page.tsx'), 'GroupsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/documents',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../documents/page.tsx'), 'DocumentsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/memory',
    validateSearch: chosenAt,
    component: lazyRouteComponent(() => import('../memory/page.tsx'), 'MemoryPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/models',
    component: lazyRouteComponent(() => import('../models/page.tsx'), 'ModelsPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/train',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../training/page.tsx'), 'TrainPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/clusters',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../clusters/page.tsx'), 'ClustersPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/reputation',
    component: lazyRouteComponent(() => import('../reputation/page.tsx'), 'ReputationPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/market',
    validateSearch: part,
    component: lazyRouteComponent(() => import('../market/page.tsx'), 'MarketPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/governance',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../governance/page.tsx'), 'GovernancePage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/ledger',
    validateSearch: chosen,
    component: lazyRouteComponent(() => import('../ledger/page.tsx'), 'LedgerPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/doctor',
    component: lazyRouteComponent(() => import('../health/page.tsx'), 'HealthPage'),
  }),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading what="page" />,
  defaultErrorComponent: ({ error }) => <ErrorNote title={shell.pageFailed} error={error} />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NotFound(): ReactNode {
  return (
    <div className="card pad stack">
      <h1>{shell.notFound}</h1>
      <Link to="/">{shell.goHome}</Link>
    </div>
  );
}
