import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { applyEvent } from '../app/live.ts';
import { limits } from '../app/limits.ts';
import { MakeForm } from '../ui/make.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { making as words } from './strings.ts';

const numbers = [
  ['nodes', words.nodes, 32, 2, limits.clusterNodesMax],
  ['nodesMax', words.nodesMax, 128, 2, limits.clusterNodesMax],
  ['inputs', words.inputs, 2, 1, limits.clusterInputsMax],
  ['outputs', words.outputs, 2, 1, limits.clusterOutputsMax],
  ['seed', words.seed, 1, 0, 0x7fff_ffff],
] as const;

export function MakeCluster({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: (fields: FormData) => {
      const said = (name: string): number => Number(fields.get(name));
      return client.createCluster({
        // A field of text.
        name: fields.get('name') as string,
        nodes: said('nodes'),
        nodesMax: said('nodesMax'),
        inputs: said('inputs'),
        outputs: said('outputs'),
        seed: said('seed'),
        shared: fields.get('shared') !== null,
      });
    },
    onSuccess: async (cluster) => {
      applyEvent(cache, { type: 'cluster-changed', name: cluster.name, cluster });
      onClose();
      await navigate({ to: '/clusters', search: { id: cluster.name } });
    },
  });
  return (
    <Sheet title={words.title} icon="cluster" onClose={onClose}>
      <section>
        <MakeForm act={words.act} failed={words.failed} making={make} onMake={(fields) => make.mutate(fields)}>
          {numbers.map(([name, label, value, least, most]) => (
            <label key={name} className="field">
              {label}
              <input name={name} type="number" required min={least} max={most} defaultValue={value} />
            </label>
          ))}
          <label className="opt">
            <input name="shared" type="checkbox" />
            <span>
              {words.shared} <small className="muted">{words.sharedHint}</small>
            </span>
          </label>
        </MakeForm>
      </section>
    </Sheet>
  );
}
