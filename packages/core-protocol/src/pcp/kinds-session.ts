import { pcpLimits } from './limits.ts';
import { amount, count, either, flag, hexOf, listOf, oneText, shape, text } from './schema.ts';

const id = text(pcpLimits.idBytesMax);
const name = text(pcpLimits.nameBytesMax);
/** A key, a challenge or a signature: at most 64 bytes, so at most 128 characters in hex or base64. */
const keyText = text(128);
const versions = listOf(text(16), pcpLimits.versionsMax);
export const names = listOf(name, pcpLimits.namesMax);
export const time = either(text(pcpLimits.timestampCharsMax), amount(0, 253_402_300_799));
const step = { step: count(6), handshake_version: text(16), timestamp: time } as const;

/** The handshake of three steps and that of six, in the envelope form. */
export const sessionKinds = {
  handshake: shape(
    { session_id: id, challenge: hexOf(32), public_key: hexOf(32) },
    {
      version: text(16),
      supported_versions: versions,
      capabilities: names,
      e2e_enabled: flag,
      e2e_session_id: id,
      e2e_ephemeral_key: keyText,
    },
  ),
  handshake_ack: shape(
    { session_id: id, public_key: hexOf(32), challenge_response: keyText },
    {
      selected_version: text(16),
      supported_versions: versions,
      confirm: flag,
      e2e_accepted: flag,
      e2e_session_id: id,
      e2e_ephemeral_key: keyText,
    },
  ),
  handshake_confirm: shape({ session_id: id, confirm: flag }, { timestamp: time }),
  handshake_init: shape(
    { session_id: id, ephemeral_public_key: keyText, identity_key: hexOf(32) },
    { ...step, challenge: keyText, supported_versions: versions },
  ),
  handshake_init_ack: shape(
    { session_id: id, ephemeral_public_key: keyText, identity_key: hexOf(32), challenge: keyText },
    { ...step, challenge_signature: keyText, selected_version: text(16) },
  ),
  challenge_response: shape(
    { session_id: id, challenge_signature: keyText },
    { ...step, challenge: keyText, session_id_ack: id },
  ),
  session_established: shape(
    { session_id: id },
    {
      ...step,
      session_key_hash: keyText,
      session_params: shape(
        { algorithm: oneText(['AES-256-GCM', 'ChaCha20-Poly1305']), key_exchange: name },
        { forward_secrecy: flag },
      ),
    },
  ),
  session_confirm: shape({ session_id: id, confirmed: flag }, { ...step, ready: flag }),
  ready: shape({ session_id: id, status: oneText(['ready']) }, { ...step, encryption_active: flag }),
} as const;
