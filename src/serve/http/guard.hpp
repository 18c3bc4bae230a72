// Which requests a browser sends on behalf of somebody else's page.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "serve/http/message.hpp"

namespace blobsmith::serve {

/// A page on the internet can make its visitors' browsers post to a server on their machine or in their network
/// (cross-site requests), or let its own name lead there (DNS rebinding), and then read the answers too.
class Guard {
 public:
  /// `address`: that is listened on. `hosts`: names of the server; without them any name will do, unless the address is
  /// this machine's alone.
  Guard(const std::string& address, std::vector<std::string> hosts);
  /// Status and reason of a refusal; 0: none. 421: the server has no such name. 403: another site's page asks for what
  /// changes something.
  std::pair<int, std::string> refusal(const Request& r) const;

 private:
  bool is_own(const std::string& host) const;
  std::vector<std::string> hosts_;
  bool any_ = false;
};

}  // namespace blobsmith::serve
