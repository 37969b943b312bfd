import { type Permission, permissions } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { pairing } from './strings.ts';

/** What a device may do here, as check boxes. */
export function Permissions({
  allow,
  disabled = false,
  onChange,
}: {
  readonly allow: readonly Permission[];
  readonly disabled?: boolean;
  readonly onChange: (allow: Permission[]) => void;
}): ReactNode {
  return permissions.map((permission) => (
    <label key={permission} className="opt">
      <input
        type="checkbox"
        checked={allow.includes(permission)}
        disabled={disabled}
        onChange={(event) =>
          onChange(permissions.filter((other) => (other === permission ? event.target.checked : allow.includes(other))))
        }
      />
      {pairing.permissions[permission]}
    </label>
  ));
}
