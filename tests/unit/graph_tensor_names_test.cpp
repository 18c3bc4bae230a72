#include <gtest/gtest.h>

#include "graph/tensor_names.hpp"

namespace blobsmith {
namespace {

// As the reference lists them: from the last entry to the first.
std::string listed(const OutputPort& port) {
  std::string s;
  for (auto n = port.tensor_names.rbegin(); n != port.tensor_names.rend(); ++n) s += (s.empty() ? "" : " ") + *n;
  return s;
}

OutputPort with_names(const std::string& letters) {
  OutputPort port;
  set_tensor_name(port, std::string("n") + letters[0] + "n");
  for (const char letter : letters.substr(1)) add_tensor_name(port, std::string("n") + letter + "n");
  return port;
}

// Lists of OpenVINO 2022.1, of the names that a chain of Converts leaves to the operation before it.
TEST(TensorNames, ATableThatGrowsIsEnteredAnew) {
  EXPECT_EQ(listed(with_names("ab")), "nbn nan");
  EXPECT_EQ(listed(with_names("abc")), "ncn nan nbn");
  EXPECT_EQ(listed(with_names("abcde")), "nen ndn ncn nan nbn");
  EXPECT_EQ(listed(with_names("abcdef")), "nfn nan ncn ndn nbn nen");
  EXPECT_EQ(listed(with_names("abcdefghijklm")), "nmn nln nen nhn ndn nbn ncn nan njn nfn ngn nin nkn");
}

TEST(TensorNames, EqualNamesAreEnteredOnce) { EXPECT_EQ(listed(with_names("aba")), "nbn nan"); }

TEST(TensorNames, ANewTableHasPlaceForThirteen) {
  OutputPort port = with_names("abc");
  renew_tensor_names(port);
  EXPECT_EQ(listed(port), "nbn nan ncn");
  EXPECT_EQ(port.name_buckets, 13u);
}

}  // namespace
}  // namespace blobsmith
