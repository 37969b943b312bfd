/**
 * What a paired device may do here. `train`: it may join runs from here and take part in them, bring stages of models to be computed
 * here, and teach gating clusters that are shared, and see their state metrics. `memory`: it may search what is remembered here for
 * paired devices, and share capsules. `borrow`: it may borrow nodes that are lent here. `route`: letters are forwarded for it.
 * `own`: it is a device of the same owner, and has all that is remembered and learned here, what is personal too.
 */
export const permissions = ['chat', 'tasks', 'train', 'memory', 'borrow', 'route', 'own'] as const;
export type Permission = (typeof permissions)[number];
