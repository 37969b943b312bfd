/** Of the agent and its command line. */
export const version = '0.1.0';
