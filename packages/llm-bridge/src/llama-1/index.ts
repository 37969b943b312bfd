export { apiKeyTable } from './api-keys.ts';
export { llamaProtocol, serveLlama, type ServeLlamaDeps, type ServeLlamaOptions } from './serve-llama.ts';
