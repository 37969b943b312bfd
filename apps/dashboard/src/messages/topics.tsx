import type { TopicMessageView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { limits } from '../app/limits.ts';
import { Button } from '../ui/button.tsx';
import { Composer } from '../ui/composer.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Said } from '../ui/said.tsx';
import { topics as words } from './strings.ts';

/** Listening to one topic, and saying something in it. */
export function Topics(): ReactNode {
  const [topic, setTopic] = useState<string>();
  if (topic !== undefined) return <Listening topic={topic} onStop={() => setTopic(undefined)} />;
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        setTopic(new FormData(event.currentTarget).get('topic') as string);
      }}
    >
      <p className="small muted">{words.text}</p>
      <div className="join">
        <label className="field">
          {words.name}
          <input
            name="topic"
            required
            maxLength={64}
            pattern="[A-Za-z0-9._\-]+"
            title={words.nameHint}
            autoComplete="off"
            autoCapitalize="none"
          />
        </label>
        <Button type="submit">{words.listen}</Button>
      </div>
    </form>
  );
}

function Listening({ topic, onStop }: { readonly topic: string; readonly onStop: () => void }): ReactNode {
  const { client } = useApp();
  const { heard, error, hear, again } = useHeard(topic);
  const say = useMutation({
    mutationFn: (text: string) => client.publish(topic, text),
    onSuccess: ({ sentMs }, payload) => hear({ topic, from: '', fromName: words.you, payload, sentMs }),
  });
  return (
    <>
      <div className="pad row">
        <State dot={error === undefined ? 'direct' : 'blocked'}>
          {error === undefined ? words.listening(topic) : words.ended}
        </State>
        <Button push onClick={onStop}>
          {words.stop}
        </Button>
      </div>
      {error !== undefined && (
        <div className="pad">
          <ErrorNote title={words.ended} error={error} onRetry={again} />
        </div>
      )}
      <div className="over heard" role="log" aria-label={words.heard} tabIndex={0}>
        {heard.length === 0 && <p className="pad muted">{words.quiet}</p>}
        <ul className="rows">
          {heard.map((message, at) => (
            <li key={`${message.sentMs} ${message.from} ${heard.length - at}`} className="pad">
              <Said name={message.fromName} atMs={message.sentMs} payload={message.payload} />
            </li>
          ))}
        </ul>
      </div>
      <Composer
        label={words.say(topic)}
        note={words.note}
        busy={say.isPending}
        onSend={(text) => say.mutateAsync(text)}
      />
      {say.isError && (
        <div className="pad">
          <ErrorNote title={words.failed} error={say.error} />
        </div>
      )}
    </>
  );
}

/** What was heard since listening began, newest first; `error` where it ended. */
function useHeard(topic: string) {
  const { client } = useApp();
  const [heard, setHeard] = useState<readonly TopicMessageView[]>([]);
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  const hear = (message: TopicMessageView): void =>
    setHeard((before) => [message, ...before].slice(0, limits.heardMax));
  useEffect(() => {
    const end = new AbortController();
    const listen = async (): Promise<void> => {
      for await (const message of client.subscribe(topic, end.signal)) hear(message);
      throw new Error(words.ended);
    };
    listen().catch((reason: unknown) => {
      if (!end.signal.aborted) setError(reason);
    });
    return () => end.abort();
  }, [client, topic, attempt]);
  const again = (): void => {
    setError(undefined);
    setAttempt((before) => before + 1);
  };
  return { heard, error, hear, again };
}
