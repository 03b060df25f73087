package org.tokentune.models;

import java.util.List;
import org.tokentune.BadFileException;

/** All families of models. A new one is added to the list here, and nowhere else. */
final class ModelFamilies {

  private static final List<ModelFamily> ALL =
      List.of(
          new Bert(),
          new Roberta("roberta", "Roberta"),
          new Roberta("xlm-roberta", "XLMRoberta"),
          new DistilBert(),
          new Electra(),
          new MpNet(),
          new DebertaV2(),
          new ModernBert(),
          new Gpt2(),
          new Llama(),
          new Mistral(),
          new Qwen2(),
          new Qwen3(),
          new SmolLm3(),
          new Olmo2(),
          new Phi3(),
          new Gemma2(),
          new Gemma3(),
          new Granite(),
          new StableLm());

  private ModelFamilies() {}

  /** All of them. */
  static List<ModelFamily> all() {
    return ALL;
  }

  /** The {@code model_type} of every family. */
  static List<String> modelTypes() {
    return ALL.stream().map(ModelFamily::modelType).toList();
  }

  /**
   * The family of a model type.
   *
   * @param origin the file, for messages
   * @throws BadFileException for one that is not supported
   */
  static ModelFamily of(String modelType, String origin) {
    return ALL.stream()
        .filter(family -> family.modelType().equals(modelType))
        .findFirst()
        .orElseThrow(
            () ->
                new BadFileException(
                    "%s: model_type %s is not supported; %s are.",
                    origin, modelType, String.join(", ", modelTypes())));
  }
}
