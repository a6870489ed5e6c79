"""The video ViT, its card, and classifiers of Hugging Face."""
