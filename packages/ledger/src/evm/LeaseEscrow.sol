// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Holds what a lease may cost until the consumer's signed receipts say what it came to, and keeps peers' newest checkpoints.
/// It has no owner and no way to change it. It enforces payment and the order of checkpoints, not the quality of the work.
contract LeaseEscrow {
  /// Seconds until a refund, at most: nobody's money waits for ever for a slip of the pen.
  uint64 public constant DURATION_MAX = 366 days;

  bytes32 private constant DOMAIN =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  bytes32 private constant RECEIPT = keccak256("Receipt(bytes32 escrow,uint128 amount,bytes32 work)");
  /// Half the order of secp256k1: of the two signatures that fit, the one with the small s counts (EIP-2).
  uint256 private constant S_MAX = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

  struct Escrow {
    address consumer;
    /// Last second in which the provider may hand in a receipt, Unix time; after it the consumer may take back the rest.
    uint64 settleUntil;
    bool open;
    address provider;
    uint128 deposit;
    /// Credited to the provider so far.
    uint128 settled;
  }
  struct Head {
    uint64 size;
    bytes32 root;
  }

  mapping(bytes32 => Escrow) public escrows;
  /// What each address may withdraw, wei. Nobody is ever paid within somebody else's call.
  mapping(address => uint256) public credit;
  /// Newest checkpoint by who anchored it and the log it is of; whose address speaks for a log, its settlement-key entry says.
  mapping(address => mapping(bytes32 => Head)) public heads;

  event Opened(bytes32 indexed escrow, bytes32 indexed lease, address indexed consumer, address provider, uint128 deposit, uint64 settleUntil);
  event Settled(bytes32 indexed escrow, uint128 settled, bytes32 work);
  event Closed(bytes32 indexed escrow, uint128 settled, uint128 returned);
  event Withdrawn(address indexed to, uint256 amount);
  event Anchored(address indexed by, bytes32 indexed origin, uint64 size, bytes32 root);

  error AlreadyOpened();
  error NothingDeposited();
  error DepositTooLarge();
  error BadProvider();
  error BadTime();
  error NotOpen();
  error TooLate();
  error TooEarly();
  error NotMore();
  error OverDeposit();
  error WrongSigner();
  error NotProvider();
  error NotConsumer();
  error NothingOwed();
  error PaymentRefused();
  error NotLarger();

  /// The place of a lease's escrow: bound to both parties, so nobody else can take it first.
  function escrowOf(address consumer, address provider, bytes32 lease) public pure returns (bytes32) {
    return keccak256(abi.encode(consumer, provider, lease));
  }

  /// The consumer puts down what the lease may cost at most. A lease is opened once, also after it was closed.
  /// @param settleUntil the provider looks at it before it begins: the lease's end, and time enough to hand in the last receipt.
  function open(bytes32 lease, address provider, uint64 settleUntil) external payable returns (bytes32 id) {
    if (msg.value == 0) revert NothingDeposited();
    if (msg.value > type(uint128).max) revert DepositTooLarge();
    if (provider == address(0) || provider == msg.sender) revert BadProvider();
    if (settleUntil <= block.timestamp || settleUntil > block.timestamp + DURATION_MAX) revert BadTime();
    id = escrowOf(msg.sender, provider, lease);
    if (escrows[id].consumer != address(0)) revert AlreadyOpened();
    escrows[id] = Escrow(msg.sender, settleUntil, true, provider, uint128(msg.value), 0);
    emit Opened(id, lease, msg.sender, provider, uint128(msg.value), settleUntil);
  }

  /// Credits the provider what a receipt names beyond the receipts before it. Amounts are totals of the lease, so the newest receipt is enough
  /// and an old one is worth nothing. Anybody may hand it in: it says itself who gets what.
  /// @param work hash of the receipt that both peers signed in their logs.
  function settle(bytes32 id, uint128 amount, bytes32 work, bytes32 r, bytes32 s, uint8 v) public {
    Escrow storage escrow = escrows[id];
    if (!escrow.open) revert NotOpen();
    if (block.timestamp > escrow.settleUntil) revert TooLate();
    if (amount > escrow.deposit) revert OverDeposit();
    if (amount <= escrow.settled) revert NotMore();
    if (uint256(s) > S_MAX) revert WrongSigner();
    address signer = ecrecover(receiptHash(id, amount, work), v, r, s);
    if (signer == address(0) || signer != escrow.consumer) revert WrongSigner();
    credit[escrow.provider] += amount - escrow.settled;
    escrow.settled = amount;
    emit Settled(id, amount, work);
  }

  /// The last receipt: what is left goes back to the consumer at once.
  function settleAndClose(bytes32 id, uint128 amount, bytes32 work, bytes32 r, bytes32 s, uint8 v) external {
    settle(id, amount, work, r, s, v);
    close(id);
  }

  /// The provider has all it wants.
  function close(bytes32 id) public {
    Escrow storage escrow = escrows[id];
    if (!escrow.open) revert NotOpen();
    if (msg.sender != escrow.provider) revert NotProvider();
    _close(id, escrow);
  }

  /// The consumer takes back what no receipt claimed, once the provider's time to hand one in is over.
  function refund(bytes32 id) external {
    Escrow storage escrow = escrows[id];
    if (!escrow.open) revert NotOpen();
    if (msg.sender != escrow.consumer) revert NotConsumer();
    if (block.timestamp <= escrow.settleUntil) revert TooEarly();
    _close(id, escrow);
  }

  /// Pays the caller what it is owed. The debt is gone before the money leaves, so a caller that calls again from inside finds nothing.
  function withdraw() external returns (uint256 amount) {
    amount = credit[msg.sender];
    if (amount == 0) revert NothingOwed();
    credit[msg.sender] = 0;
    (bool paid, ) = msg.sender.call{value: amount}("");
    if (!paid) revert PaymentRefused();
    emit Withdrawn(msg.sender, amount);
  }

  /// Keeps a log's checkpoint. A log only grows.
  function anchor(bytes32 origin, uint64 size, bytes32 root) external {
    Head storage head = heads[msg.sender][origin];
    if (size <= head.size) revert NotLarger();
    head.size = size;
    head.root = root;
    emit Anchored(msg.sender, origin, size, root);
  }

  /// What the consumer signs (EIP-712): worthless on another chain and at another contract.
  function receiptHash(bytes32 id, uint128 amount, bytes32 work) public view returns (bytes32) {
    bytes32 domain = keccak256(
      abi.encode(DOMAIN, keccak256("PeerAI lease escrow"), keccak256("1"), block.chainid, address(this))
    );
    return keccak256(abi.encodePacked("\x19\x01", domain, keccak256(abi.encode(RECEIPT, id, amount, work))));
  }

  function _close(bytes32 id, Escrow storage escrow) private {
    escrow.open = false;
    uint128 rest = escrow.deposit - escrow.settled;
    if (rest > 0) credit[escrow.consumer] += rest;
    emit Closed(id, escrow.settled, rest);
  }
}
