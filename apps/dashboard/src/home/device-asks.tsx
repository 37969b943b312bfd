import type { CapabilitiesView, HandshakeView, PeerView, TraceView } from '@peerai/peer/control';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { clockTime, sentence } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Verdict } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { ui } from '../ui/strings.ts';
import { asks as words } from './device-strings.ts';

/** What one may ask of a device besides work: what it can, a model made ready, a new session, every way to it. */
export function DeviceAsks({ peer }: { readonly peer: PeerView }): ReactNode {
  return (
    <section>
      <h3>{words.title(peer.name)}</h3>
      <div className="row">
        <Link className="b" to="/files" search={{ to: peer.peerId }}>
          {words.sendFile}
        </Link>
      </div>
      <Capabilities peer={peer} />
      {peer.models.length > 0 && <Wake peer={peer} />}
      <Handshake peer={peer} />
      <Trace peer={peer} />
    </section>
  );
}

interface AskProps {
  readonly peer: PeerView;
}

/** A button, and what came of it. */
function Ask<T>({
  ask,
  label,
  busy,
  note,
  children,
}: {
  readonly ask: () => Promise<T>;
  readonly label: string;
  readonly busy: string;
  readonly note?: string;
  readonly children: (answer: T) => ReactNode;
}): ReactNode {
  const asking = useMutation({ mutationFn: ask });
  return (
    <div className="stack">
      <div className="row">
        <Button disabled={asking.isPending} onClick={() => asking.mutate()}>
          {asking.isPending ? busy : label}
        </Button>
        {note !== undefined && <span className="small muted ask-note">{note}</span>}
      </div>
      <div role="status">{asking.isSuccess && children(asking.data)}</div>
      {asking.isError && <ErrorNote title={ui.failed} error={asking.error} />}
    </div>
  );
}

function Capabilities({ peer }: AskProps): ReactNode {
  const { client } = useApp();
  return (
    <Ask ask={() => client.capabilities(peer.peerId)} label={words.can} busy={words.asking} note={words.canNote}>
      {(answer) => <CanList can={answer} />}
    </Ask>
  );
}

function CanList({ can }: { readonly can: CapabilitiesView }): ReactNode {
  const facts: readonly (readonly [string, readonly string[]])[] = [
    [words.program, [can.agent]],
    [words.models, can.models],
    [words.tasks, can.taskTypes],
    [words.kinds, can.messageTypes],
    [words.versions, can.protocolVersions],
    [words.crypto, can.crypto],
    [words.operators, can.operators],
  ];
  return (
    <dl className="facts small">
      {facts.map(([name, list]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{list.length === 0 ? words.none : list.join(', ')}</dd>
        </Fragment>
      ))}
      <dt>{words.endpoints}</dt>
      <dd>
        {can.endpoints.length === 0 && words.none}
        <ul className="stack mono">
          {can.endpoints.map((address) => (
            <li key={address}>{shortAddress(address)}</li>
          ))}
        </ul>
      </dd>
    </dl>
  );
}

function Wake({ peer }: AskProps): ReactNode {
  const { client } = useApp();
  const [model] = peer.models;
  if (model === undefined) return null;
  return (
    <Ask
      ask={() => client.wake(peer.peerId, { model })}
      label={words.wake(model)}
      busy={words.asking}
      note={words.wakeNote}
    >
      {({ status, reason }) => (
        <p className="small">
          {words.wakeStates[status]} {(status === 'failed' || status === 'refused') && sentence(reason)}
        </p>
      )}
    </Ask>
  );
}

function Handshake({ peer }: AskProps): ReactNode {
  const { client } = useApp();
  const sessions = useQuery({ queryKey: keys.sessions, queryFn: ({ signal }) => client.peerSessions(signal) });
  const open = (sessions.data ?? []).filter(({ peerId }) => peerId === peer.peerId);
  const ask = async (): Promise<HandshakeView> => {
    const made = await client.handshake(peer.peerId, false);
    await sessions.refetch();
    return made;
  };
  return (
    <>
      <NewSession ask={ask} />
      {open.length > 0 && (
        <p className="small muted">
          {words.sessions(open.length, clockTime(Math.max(...open.map(({ expiresMs }) => expiresMs)), Date.now()))}
        </p>
      )}
    </>
  );
}

function NewSession({ ask }: { readonly ask: () => Promise<HandshakeView> }): ReactNode {
  return (
    <Ask ask={ask} label={words.handshake} busy={words.agreeing} note={words.handshakeNote}>
      {({ steps, suite, expiresMs }) => (
        <p className="small">{words.agreed(steps, suite, clockTime(expiresMs, Date.now()))}</p>
      )}
    </Ask>
  );
}

function Trace({ peer }: AskProps): ReactNode {
  const { client } = useApp();
  return (
    <Ask ask={() => client.trace(peer.peerId)} label={words.trace} busy={words.tracing} note={words.traceNote}>
      {(answer) => <Steps trace={answer} />}
    </Ask>
  );
}

function Steps({ trace }: { readonly trace: TraceView }): ReactNode {
  return (
    <div className="stack small">
      <p>
        <Verdict state={trace.reached ? 'ok' : 'broken'}>{trace.reached ? words.reached : words.notReached}</Verdict>
      </p>
      <ol className="stack">
        {trace.steps.map((step, at) => (
          <li key={at}>
            <Verdict state={step.code === 'OK' ? 'ok' : 'look'}>{words.steps[step.step]}</Verdict>{' '}
            {step.tookMs !== undefined && <span className="quiet">{Math.round(step.tookMs)} ms</span>}
            {step.address !== '' && <code className="trace-way">{shortAddress(step.address)}</code>}
            {step.code !== 'OK' && <span className="muted anywhere">{sentence(step.cause)}</span>}
          </li>
        ))}
      </ol>
      {trace.trouble !== null && <p>{sentence(trace.trouble.remedy)}</p>}
    </div>
  );
}

/** An address with the keys in it cut to their ends: where it leads is what one looks for. */
const shortAddress = (address: string): string => address.replaceAll(/\b\w{40,}(\w{6})\b/g, '…$1');
