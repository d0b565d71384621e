"""Tokenizers: text to ids and back; read from the files of others, or made from a text."""

from tensorlogic.runtime.tokenizers.load import load_tokenizer
from tensorlogic.runtime.tokenizers.save import save_tokenizer
from tensorlogic.runtime.tokenizers.tokenizer import Tokenizer
from tensorlogic.runtime.tokenizers.train import train_bpe
from tensorlogic.runtime.tokenizers.words import char_tokenizer, word_tokenizer

__all__ = ["Tokenizer", "char_tokenizer", "load_tokenizer", "save_tokenizer", "train_bpe", "word_tokenizer"]
