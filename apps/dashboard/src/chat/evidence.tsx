import type { ReceiptView, ServedBy } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { count, plural, seconds, shortId } from '../shared/format.ts';
import type { AnswerTurn } from '../shared/turns.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Icon, State } from '../ui/icon.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { chat, evidence } from './strings.ts';

/** Who answered, over which path, what both sides signed, and what none of that proves. */
export function EvidenceSheet({
  turn,
  self,
  onClose,
}: {
  readonly turn: AnswerTurn;
  readonly self: string;
  readonly onClose: () => void;
}): ReactNode {
  const { servedBy, finish } = turn;
  if (servedBy === undefined) return null;
  return (
    <Sheet title={evidence.title} icon="lock" onClose={onClose}>
      <section>
        <Way self={self} servedBy={servedBy} />
        <dl className="facts">
          <dt>{evidence.model}</dt>
          <dd>{servedBy.receipt?.model ?? turn.model}</dd>
          {finish !== undefined && (
            <>
              <dt>{evidence.firstToken}</dt>
              <dd>{seconds(finish.firstTokenMs)}</dd>
              <dt>{evidence.length}</dt>
              <dd>
                {evidence.lengthOf(count(finish.promptTokens), count(finish.answerTokens), seconds(finish.totalMs))}
                {servedBy.receipt?.estimated === true && <small className="muted"> {evidence.estimated}</small>}
              </dd>
            </>
          )}
        </dl>
      </section>
      <section>
        <h3>{evidence.checked}</h3>
        <Proof servedBy={servedBy} />
      </section>
      <section>
        <h3>{evidence.notProven}</h3>
        <p className="muted">{evidence.notProvenText(servedBy.name)}</p>
      </section>
      {servedBy.receipt !== undefined && <RawReceipt receipt={servedBy.receipt} />}
    </Sheet>
  );
}

function Way({ self, servedBy }: { readonly self: string; readonly servedBy: ServedBy }): ReactNode {
  if (servedBy.path === 'local') {
    return (
      <>
        <State dot="direct">
          {servedBy.name}, {chat.paths.local}
        </State>
        <p className="muted">{evidence.stayed}</p>
      </>
    );
  }
  return (
    <p className={servedBy.path === 'direct' ? 'hop' : 'hop hop-relayed'}>
      <span>{self}</span>
      <i>{chat.paths[servedBy.path]}</i>
      <span>{servedBy.name}</span>
    </p>
  );
}

function Proof({ servedBy }: { readonly servedBy: ServedBy }): ReactNode {
  const { receipt, name, path } = servedBy;
  if (path === 'local') {
    return (
      <ul className="proof stack">
        <Line good text={evidence.ownModel} detail={evidence.ownModelWhy} />
      </ul>
    );
  }
  if (receipt === undefined) {
    return (
      <ul className="proof stack">
        <Line text={evidence.noReceipt(name)} detail={evidence.noReceiptWhy} />
      </ul>
    );
  }
  const tokens = plural(receipt.promptTokens + receipt.answerTokens, 'token');
  return (
    <ul className="proof stack">
      <Line
        good={receipt.signedBy === 'both'}
        text={receipt.signedBy === 'both' ? evidence.bothSigned(name) : evidence.onlyProvider(name)}
        detail={`${evidence.receipt(count(receipt.n), shortId(receipt.lease))} · ${tokens}`}
      />
      <Line good text={evidence.work} detail={`sha-256 ${shortId(receipt.workHash)} …`} />
      <li>
        <span />
        <small>{evidence.ledger}</small>
      </li>
    </ul>
  );
}

function Line({
  good = false,
  text,
  detail,
}: {
  readonly good?: boolean;
  readonly text: string;
  readonly detail: string;
}): ReactNode {
  return (
    <li className={good ? undefined : 'no'}>
      <Icon name={good ? 'check' : 'warn'} />
      <div>
        {text}
        <small>{detail}</small>
      </div>
    </li>
  );
}

function RawReceipt({ receipt }: { readonly receipt: ReceiptView }): ReactNode {
  const raw = JSON.stringify(receipt, undefined, 2);
  return (
    <section>
      <details>
        <summary>{evidence.raw}</summary>
        <pre className="raw" tabIndex={0}>
          {raw}
        </pre>
      </details>
      <div className="row">
        <CopyButton text={raw}>{evidence.copy}</CopyButton>
      </div>
    </section>
  );
}
