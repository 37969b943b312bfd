// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface Payer {
  function withdraw() external returns (uint256);
}

/// A provider that asks for its money again while it is being paid.
contract Reentrant {
  Payer private immutable payer;
  uint256 public tries;
  bool public again;

  constructor(Payer from) {
    payer = from;
  }

  function take() external {
    payer.withdraw();
  }

  receive() external payable {
    tries += 1;
    if (tries > 1) return;
    try payer.withdraw() {
      again = true;
    } catch {}
  }
}
