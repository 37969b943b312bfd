/** What a paired device may do here. `route`: letters are forwarded for it. `train` is remembered for later versions. */
export const permissions = ['chat', 'tasks', 'train', 'route'] as const;
export type Permission = (typeof permissions)[number];
