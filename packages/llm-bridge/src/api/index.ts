export type { Catalogue, CatalogueEntry, ResolvedModel } from './catalogue.ts';
export { createGateway, type Gateway, type GatewayContext, type GatewayDeps } from './gateway.ts';
