package org.tokentune.formats;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;
import org.tokentune.ops.BlockWeight;

/**
 * Several safetensors files that form one model, listed in {@code model.safetensors.index.json}:
 * its {@code weight_map} gives the file of every tensor, in the index's folder.
 */
final class ShardedSafeTensors implements WeightSource {

  private final Path index;
  private final Map<String, SafeTensors> shards;

  private ShardedSafeTensors(Path index, Map<String, SafeTensors> shards) {
    this.index = index;
    this.shards = shards;
  }

  /**
   * Opens the index and every file it names.
   *
   * @throws BadInputException if one is missing or damaged, is in another folder, or lacks a tensor
   *     that the index lists
   */
  static ShardedSafeTensors open(Path index) {
    if (!Files.isRegularFile(index)) {
      throw new BadFileException("There is no file %s; check the path.", index);
    }
    JsonNode map;
    try {
      if (Files.size(index) > Limits.HEADER_BYTES) {
        throw new BadFileException(
            "%s has %d bytes, more than the %d supported; download it again.",
            index, Files.size(index), Limits.HEADER_BYTES);
      }
      map = new ObjectMapper().readTree(index.toFile()).path("weight_map");
    } catch (IOException e) {
      throw new BadFileException(e, "%s is not valid JSON; download it again.", index);
    }
    if (!map.isObject() || map.isEmpty()) {
      throw new BadFileException("%s has no weight_map; download it again.", index);
    }
    Map<String, SafeTensors> files = new HashMap<>();
    Map<String, SafeTensors> shards = new LinkedHashMap<>();
    boolean complete = false;
    try {
      map.fields()
          .forEachRemaining(
              tensor -> {
                SafeTensors file =
                    files.computeIfAbsent(
                        tensor.getValue().asText(), name -> SafeTensors.open(sibling(index, name)));
                if (!file.names().contains(tensor.getKey())) {
                  throw new BadFileException(
                      "%s has no tensor %s, which %s lists; download both again.",
                      file.origin(), tensor.getKey(), index);
                }
                shards.put(tensor.getKey(), file);
              });
      addUnnamed(index, shards, files);
      complete = true;
    } finally {
      if (!complete) {
        files.values().forEach(SafeTensors::close);
      }
    }
    return new ShardedSafeTensors(index, Collections.unmodifiableMap(shards));
  }

  /** Adds tensors that the index omits, which transformers also reads. */
  private static void addUnnamed(
      Path index, Map<String, SafeTensors> shards, Map<String, SafeTensors> files) {
    TreeMap<String, SafeTensors> unnamed = new TreeMap<>();
    for (SafeTensors file : files.values()) {
      for (String name : file.names()) {
        if (!shards.containsKey(name) && unnamed.put(name, file) != null) {
          throw new BadFileException(
              "%s does not say which file has %s, and several do; download it again.", index, name);
        }
      }
    }
    if (!unnamed.isEmpty()) {
      Warnings.warn(
          "%s omits %d of its files' tensors, %s; they are read anyway.",
          index,
          unnamed.size(),
          unnamed.size() == 1 ? unnamed.firstKey() : "such as " + unnamed.firstKey());
    }
    shards.putAll(unnamed);
  }

  /** A file in the index's own folder and nowhere else: the index is untrusted. */
  private static Path sibling(Path index, String name) {
    if (!name.matches("[A-Za-z0-9_.-]+\\.safetensors")) {
      throw new BadFileException(
          "%s names the file '%s', which is not a plain .safetensors file name; download it again.",
          index, name);
    }
    return index.resolveSibling(name);
  }

  @Override
  public Set<String> names() {
    return shards.keySet();
  }

  @Override
  public long[] shape(String name) {
    return shard(name).shape(name);
  }

  @Override
  public DataType type(String name) {
    return shard(name).type(name);
  }

  @Override
  public INDArray read(String name) {
    return shard(name).read(name);
  }

  @Override
  public BlockWeight readBlocks(String name) {
    return shard(name).readBlocks(name);
  }

  private SafeTensors shard(String name) {
    return WeightFile.tensor(shards, name, index);
  }

  @Override
  public String origin() {
    return index.toString();
  }

  @Override
  public void close() {
    shards.values().forEach(SafeTensors::close);
  }
}
