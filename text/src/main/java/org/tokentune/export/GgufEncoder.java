package org.tokentune.export;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.TokenizerVocabulary;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.Vocabulary;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.EncoderNames;
import org.tokentune.models.Head;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.SentencePooling;
import org.tokentune.models.SentenceStep;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.ActivationFunction;
import org.tokentune.objectives.Objectives;

/** Writes encoders like BERT, without their heads: sentence encoders, with their pooling. */
final class GgufEncoder {

  private static final String ARCHITECTURE = "bert";

  /** Tables whose rows are added to those of tokens. */
  private static final Set<String> ADDED = Set.of("position_embd", "token_types");

  /** llama.cpp's numbers. */
  private static final Map<SentencePooling, Integer> POOLING =
      Map.of(SentencePooling.MEAN, 1, SentencePooling.CLS, 2, SentencePooling.LAST_TOKEN, 3);

  private GgufEncoder() {}

  static List<String> write(ModelFiles files, EncoderConfig config, GgufType type, Path file) {
    check(files, config);
    Vocabulary.WordPiece vocabulary = TokenizerVocabulary.wordPiece(files);
    GgufContent content = new GgufContent(files, vocabulary, ARCHITECTURE, type);
    content.put("context_length", config.maxPositions());
    content.put("embedding_length", config.hidden());
    content.put("block_count", config.layers());
    content.put("feed_forward_length", config.mlp().intermediate());
    content.put("attention.head_count", config.attention().heads());
    content.put("attention.layer_norm_epsilon", config.norms().epsilon());
    content.out.put(ARCHITECTURE + ".attention.causal", false);
    content.put("pooling_type", pooling(files));
    content.addTokens(files, vocabulary, config.vocabulary());
    // llama.cpp loads no file with 0 of them; without a table it adds nothing.
    content.out.put("tokenizer.ggml.token_type_count", Math.max(1, config.tokenTypes()));
    // Of the graph only the encoder is stored; the smallest head completes it.
    TransformerModel model = config.model(new Head(Objectives.TOKEN, 1, Pooling.MEAN));
    Map<String, long[]> shapes = model.parameters();
    names(config)
        .forEach(
            (stored, named) -> {
              for (String kind : List.of(".weight", ".bias")) {
                if (shapes.containsKey(named + kind)) {
                  long[] shape = shapes.get(named + kind);
                  Supplier<float[]> read = () -> values(model, files, named + kind);
                  if (ADDED.contains(stored)) {
                    content.addFloats(stored + kind, shape, read);
                  } else {
                    content.add(stored + kind, shape, false, read);
                  }
                }
              }
            });
    GgufContent.write(content.out, file, staged -> {});
    return content.lines(file);
  }

  private static float[] values(TransformerModel model, ModelFiles files, String name) {
    try (INDArray array = ParameterLoader.read(model, files.weights(), name)) {
      return GgufContent.floats(array);
    }
  }

  /** Hugging Face's names of the modules by llama.cpp's. */
  private static Map<String, String> names(EncoderConfig config) {
    EncoderNames names = config.family().names();
    EncoderNames.Tables tables = names.embeddings();
    EncoderNames.Block block = names.layer();
    Map<String, String> all = new LinkedHashMap<>();
    all.put("token_embd", names.prefix() + tables.words());
    all.put("position_embd", names.prefix() + tables.positions());
    all.put("token_types", names.prefix() + tables.types());
    all.put("token_embd_norm", names.prefix() + tables.norm());
    for (int i = 0; i < config.layers(); i++) {
      String stored = "blk." + i + ".";
      String named = names.prefix() + block.prefix() + i + ".";
      all.put(stored + "attn_q", named + block.query());
      all.put(stored + "attn_k", named + block.key());
      all.put(stored + "attn_v", named + block.value());
      all.put(stored + "attn_output", named + block.attentionOutput());
      all.put(stored + "attn_output_norm", named + block.attentionNorm());
      all.put(stored + "ffn_up", named + block.in());
      all.put(stored + "ffn_down", named + block.out());
      all.put(stored + "layer_output_norm", named + block.outputNorm());
    }
    return all;
  }

  private static void check(ModelFiles files, EncoderConfig config) {
    boolean likeBert =
        config.relativePositions() == null
            && config.embeddings().positions() == EncoderConfig.Positions.BY_PLACE
            && config.embeddings().size() == config.hidden()
            && !config.norms().first()
            && !config.attention().packed()
            && !config.mlp().gated();
    if (!likeBert) {
      throw new BadSettingsException(
          "%s is an encoder of type %s, which is not written as a GGUF file; bert, distilbert and"
              + " electra are.",
          files.name(), config.family().modelType());
    }
    if (config.mlp().activation() != ActivationFunction.GELU) {
      throw new BadSettingsException(
          "%s cannot be a GGUF file, as llama.cpp's bert has no activation but gelu, and it has %s.",
          files.name(), config.mlp().activation());
    }
  }

  private static int pooling(ModelFiles files) {
    SentenceModules modules = SentenceModules.read(files);
    Integer pooling = modules.pooling().size() == 1 ? POOLING.get(modules.pooling().get(0)) : null;
    boolean more = modules.steps().stream().anyMatch(step -> step != SentenceStep.NORMALIZE);
    if (pooling == null || more || modules.dimension() != null || modules.lowerCase()) {
      throw new BadSettingsException(
          "%s makes vectors by %s %s, which a GGUF file cannot say: it has the mean, the first or the"
              + " last token, and no layers behind.",
          files.name(), modules.pooling(), modules.steps());
    }
    return pooling;
  }
}
