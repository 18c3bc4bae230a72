// Reads every IR under the folders that BLOBSMITH_CORPUS names (separated by colons) and compares each inferred shape
// with the <dim>s that Model Optimizer wrote. Skipped where the variable is not set.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "importers/openvino_ir/reader.hpp"

namespace blobsmith {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> models() {
  std::vector<fs::path> list;
  std::stringstream folders(std::getenv("BLOBSMITH_CORPUS"));
  for (std::string folder; std::getline(folders, folder, ':');)
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".xml") list.push_back(entry.path());
  std::ranges::sort(list);
  return list;
}

Shape stated_shape(const pugi::xml_node& port) {
  Shape shape;
  for (const auto& dim : port.children("dim")) shape.push_back(dim.text().as_llong());
  return shape;
}

struct Counts {
  int outputs = 0, networks = 0;
};

void compare(const Graph& graph, const pugi::xml_node& net, const std::string& where, Counts& counts) {
  std::map<std::string, const Node*> nodes;
  for (const Node* n : graph.all()) nodes[n->name] = n;
  for (const auto& layer : net.child("layers").children("layer")) {
    const auto it = nodes.find(layer.attribute("name").value());
    if (it == nodes.end()) continue;
    int port = 0;
    for (const auto& xml : layer.child("output").children("port")) {
      if (port >= it->second->output_count()) break;
      const OutputPort& output = it->second->output(port++);
      if (is_static(output.shape)) {
        EXPECT_EQ(to_string(output.shape), to_string(stated_shape(xml)))
            << where << ": " << layer.attribute("type").value() << " " << it->first;
      }
      EXPECT_EQ(precision_name(output.type), xml.attribute("precision").as_string())
          << where << ": " << layer.attribute("type").value() << " " << it->first;
      ++counts.outputs;
    }
    if (it->second->body) compare(*it->second->body, layer.child("body"), where, counts);
  }
}

TEST(IrCorpus, InferredShapesAreThoseThatModelOptimizerWrote) {
  if (!std::getenv("BLOBSMITH_CORPUS")) GTEST_SKIP() << "BLOBSMITH_CORPUS is not set";
  Counts counts;
  for (const fs::path& path : models()) {
    try {
      const Graph graph = read_openvino_ir(path);
      pugi::xml_document document;
      document.load_file(path.c_str());
      compare(graph, document.document_element(), path, counts);
      ++counts.networks;
    } catch (const std::exception& e) {
      ADD_FAILURE() << path << ": " << e.what();
    }
  }
  std::printf("%d networks, %d outputs compared\n", counts.networks, counts.outputs);
}

}  // namespace
}  // namespace blobsmith
