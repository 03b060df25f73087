package org.tokentune.formats;

import java.util.List;
import org.tokentune.BadFileException;

/**
 * The part of a GGUF file's metadata that describes the model.
 *
 * @param architecture what its keys begin with
 */
record GgufKeys(GgufMetadata metadata, String architecture) {

  private String key(String name) {
    return architecture + "." + name;
  }

  boolean has(String name) {
    return metadata.has(key(name));
  }

  int count(String name) {
    return metadata.count(key(name));
  }

  int count(String name, int otherwise) {
    return metadata.count(key(name), otherwise);
  }

  double number(String name) {
    return metadata.number(key(name));
  }

  double number(String name, double otherwise) {
    return metadata.number(key(name), otherwise);
  }

  String text(String name, String otherwise) {
    return metadata.text(key(name), otherwise);
  }

  boolean isList(String name) {
    return metadata.isList(key(name));
  }

  /** One flag for each layer; more are ignored, as llama.cpp does. */
  List<Boolean> flags(String name, int layers) {
    List<Object> flags = metadata.list(key(name), Object.class);
    if (flags.size() < layers) {
      throw new BadFileException(
          "%s: the metadata's %s has %d entries for %d layers; download it again.",
          metadata.file(), key(name), flags.size(), layers);
    }
    return flags.subList(0, layers).stream()
        .map(flag -> !flag.equals(false) && !flag.equals(0L))
        .toList();
  }

  /** Rejects another value; the key may be missing. */
  void mustBe(String name, Object value) {
    metadata.mustBe(key(name), value);
  }
}
