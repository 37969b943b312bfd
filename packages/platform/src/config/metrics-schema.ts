import * as z from 'zod';

const names = ['phi', 'coherence', 'entropy', 'valence', 'arousal', 'empathy', 'insight'] as const;
const rule = z.strictObject({
  metric: z.enum(names, `a metric is one of ${names.join(', ')}`),
  when: z.enum(['above', 'below']),
  threshold: z.number().min(-1, 'at least -1').max(1, 'at most 1'),
  hysteresis: z.number().positive('more than 0').max(2, 'at most 2').default(0.05),
});

export const metricsSection = z
  .strictObject({
    alerts: z
      .array(rule)
      .max(64, 'at most 64 rules')
      .default([])
      .describe(
        'Marks of this peer’s state metrics that are said once when they are crossed, and once when the value came back: {metric, when: above or below, threshold, hysteresis}.',
      ),
  })
  .prefault({});
