import type { FilesView } from '@peerai/peer/control';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useFiles, usePeers } from '../app/queries.ts';
import { bytes } from '../shared/format.ts';
import { usableDevices } from '../ui/devices.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { FileRow } from './file-row.tsx';
import { SendFile } from './send-file.tsx';
import { files as words, form } from './strings.ts';

const route = getRouteApi('/files');

export function FilesPage(): ReactNode {
  const { to } = route.useSearch();
  const files = useFiles();
  const peers = usePeers();
  const room = files.data?.room;
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <div className="cols">
        <Card title={words.list} aside={room && words.room(bytes(room.bytes), bytes(room.bytesMax))}>
          <Region query={files} what={words.what}>
            {(view) => <FileList view={view} />}
          </Region>
        </Card>
        <Card title={form.title}>
          <Region query={peers} what="devices">
            {(list) => (
              <SendFile
                devices={usableDevices(list)}
                first={to}
                bytesMax={room?.fileBytesMax ?? Number.MAX_SAFE_INTEGER}
              />
            )}
          </Region>
        </Card>
      </div>
    </>
  );
}

function FileList({ view }: { readonly view: FilesView }): ReactNode {
  const nowMs = useNow(5_000);
  if (view.files.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <ul className="rows">
      {view.files.map((file) => (
        <FileRow key={file.id} file={file} nowMs={nowMs} />
      ))}
    </ul>
  );
}
