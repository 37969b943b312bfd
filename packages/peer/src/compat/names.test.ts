import { expect, test } from 'vitest';
import { DistributedNeuralNetwork } from './index.ts';

/** The methods of the prototype's class that a page could call, by its published sources; `free` is what its toolchain adds to each class. */
const seedMethods = [
  'create_cluster',
  'process_input',
  'update_error_signal',
  'get_cluster_state',
  'step_simulation',
  'semantic_memory_search',
  'get_memory_trends',
  'consolidate_long_term_memory',
  'get_vector_database_stats',
  'configure_signaling_server',
  'is_connected_to_signaling_server',
  'start_peer_discovery',
  'handle_discovery_results',
  'get_discovered_peers',
  'find_free_nodes',
  'auto_connect_to_free_node',
  'get_node_availability_stats',
  'send_heartbeat',
  'connect_to_peer',
  'initiate_webrtc_connection',
  'close_webrtc_connection',
  'is_peer_connected_webrtc',
  'check_webrtc_connections',
  'get_webrtc_stats',
  'send_direct_message',
  'request_node_from_peer',
  'share_memory_with_peer',
  'start_collaborative_learning',
  'propagate_error_to_peers',
  'process_p2p_messages',
  'get_p2p_network_stats',
  'request_node_borrowing',
  'complete_node_borrowing',
  'get_account_balance',
  'get_blockchain_stats',
  'mine_block',
  'validate_blockchain',
  'get_memory_record',
  'free',
];

test('the class has the methods of the prototype’s, by its names, and no others', () => {
  const own = Object.getOwnPropertyNames(DistributedNeuralNetwork.prototype).filter((name) => name !== 'constructor');
  expect(own.toSorted()).toEqual(seedMethods.toSorted());
});
