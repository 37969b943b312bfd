import { equalBytes, fromHex, fromUtf8, PeerAiError, type Shelf, utf8 } from '@peerai/core-protocol';
import { modelLimits } from '../limits.ts';
import type { ImportedModelView } from '../imported.schema.ts';
import type { ExportedModel } from '../own-models.ts';
import type { ExportFormat } from '../own-models.schema.ts';
import { fileOf, tokenizerOf } from './places.ts';

/** What was imported, as it came. Throws UNSUPPORTED for a form it does not have, HASH_MISMATCH. */
export async function importedFile(
  shelf: Shelf,
  { name, sha256, bytes, embedding, language }: ImportedModelView,
  format: ExportFormat,
): Promise<ExportedModel> {
  if (format === 'onnx') {
    await check(shelf, fileOf(sha256), sha256);
    return { name: `${name}.onnx`, bytes, content: piecesOf(shelf, fileOf(sha256), bytes) };
  }
  const { tokenizer } = embedding ?? language ?? {};
  if (format !== 'tokenizer' || tokenizer === undefined)
    throw new PeerAiError(
      'UNSUPPORTED',
      format !== 'tokenizer' ? `${name} was imported as ONNX, and is given as ONNX only` : `${name} has no tokenizer`,
    );
  await check(shelf, tokenizerOf(tokenizer), tokenizer);
  const file = tokenizerIn(await shelf.read(tokenizerOf(tokenizer), 0, modelLimits.tokenizerBytesMax));
  return {
    name: `${name}.tokenizer.json`,
    bytes: file.length,
    content: (async function* whole() {
      yield file;
    })(),
  };
}

/** The `tokenizer.json` itself, where it came with what lay beside it. */
function tokenizerIn(file: Uint8Array): Uint8Array {
  const { 'tokenizer.json': tokenizer } = JSON.parse(fromUtf8(file)) as { readonly 'tokenizer.json'?: object };
  return tokenizer === undefined ? file : utf8(JSON.stringify(tokenizer));
}

async function check(shelf: Shelf, file: string, sha256: string): Promise<void> {
  if (!equalBytes(await shelf.sha256(file), fromHex(sha256)))
    throw new PeerAiError('HASH_MISMATCH', 'a file of this model was changed on disk; import it again', { sha256 });
}

async function* piecesOf(shelf: Shelf, file: string, bytes: number): AsyncGenerator<Uint8Array> {
  for (let place = 0; place < bytes; place += modelLimits.importedPieceBytes)
    yield await shelf.read(file, place, Math.min(modelLimits.importedPieceBytes, bytes - place));
}
