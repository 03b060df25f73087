package org.tokentune.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.tokentune.RandomWeights;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.formats.ModelFolder;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objective;
import org.tokentune.objectives.Objectives;
import org.tokentune.ops.KernelMode;
import org.tokentune.ops.internal.FusedDropout;

/**
 * Names of the places where models drop, as they were from the first on: with others, seeded runs
 * would give other numbers, and resumed ones other masks.
 */
class DropoutPlacesTest {

  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  /** The places' numbers in the graph of a model of one layer. */
  private static Set<Integer> places(String name, String layers, Head head, String lora) {
    ObjectNode json = ModelFolder.config(GOLDEN.resolve(name)).deepCopy();
    TransformerModel model =
        ModelConfig.read(json.put(layers, 1), name).withDropout(0.1).model(head);
    Parameters parameters = RandomWeights.of(model, 1, 0.1f);
    if (lora != null) {
      Adapter adapter = Adapter.fresh(model, parameters, LoraConfig.parse(lora), 1);
      model = adapter.model();
      parameters = adapter.parameters();
    }
    GraphOptions options =
        GraphOptions.training(false, any -> true).withKernelMode(KernelMode.FUSED);
    return model.build(parameters, options).sd().getOps().values().stream()
        .map(SameDiffOp::getOp)
        .filter(FusedDropout.class::isInstance)
        .map(op -> ((FusedDropout) op).getIArgument(0).intValue())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static void check(Set<Integer> places, String... names) {
    System.out.println(List.of(names));
    assertEquals(
        Stream.of(names).map(String::hashCode).collect(Collectors.toCollection(TreeSet::new)),
        places);
  }

  private static Head head(Objective task) {
    return new Head(task, 2, Pooling.FIRST);
  }

  @Test
  void namesStay() {
    String layer = "bert.encoder.layer.0.";
    check(
        places("bert", "num_hidden_layers", head(Objectives.CLASSIFY), null),
        "embeddings",
        layer + "attention.self",
        layer + "attention.output",
        layer + "output",
        "classifier");
    check(
        places("bert", "num_hidden_layers", head(Objectives.QUESTION_ANSWERING), null),
        "embeddings",
        layer + "attention.self",
        layer + "attention.output",
        layer + "output");
    check(
        places("roberta", "num_hidden_layers", head(Objectives.CLASSIFY), null),
        "embeddings",
        "roberta.encoder.layer.0.attention.self",
        "roberta.encoder.layer.0.attention.output",
        "roberta.encoder.layer.0.output",
        "pooled",
        "classifier");
    check(
        places("gpt2", "n_layer", head(Objectives.CAUSAL_LM), null),
        "embeddings",
        "transformer.h.0.attn",
        "transformer.h.0.attention",
        "transformer.h.0.feedForward");
    check(
        places(
            "llama",
            "num_hidden_layers",
            head(Objectives.CAUSAL_LM),
            "r=2,dropout=0.1,targets=q_proj"),
        "model.layers.0.self_attn",
        "model.layers.0.self_attn.q_proj.lora");
  }
}
