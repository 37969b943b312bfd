/** The worker of a program, under the name this file ends with: .ts from source (Node strips the types), .js from dist or from a program joined with others. */
export const workerFile = new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
