"""Compares a saved model's predictions with those of Python's transformers.

Usage: tokentune predict --model DIR --input FILE --json OUT; python transformers_predict.py DIR OUT
"""

import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, result = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
worst = 0.0
predictions = json.load(open(result))["predictions"]
for prediction in predictions:
    inputs = tokenizer(prediction["text"], prediction.get("pair"), return_tensors="pt")
    with torch.no_grad():
        probabilities = model(**inputs).logits.softmax(-1)[0].tolist()
    for number, probability in enumerate(probabilities):
        ours = prediction["scores"][model.config.id2label[number]]
        worst = max(worst, abs(ours - probability))
print(f"{len(predictions)} texts: probabilities differ by at most {worst:.1e}")
sys.exit(worst > 1e-5)
