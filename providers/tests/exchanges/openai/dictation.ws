# https://developers.openai.com/api/docs/guides/realtime-transcription
< {"type":"session.created","event_id":"event_1","session":{"type":"transcription","object":"realtime.transcription_session","id":"sess_1","expires_at":1764172800,"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":null,"noise_reduction":null,"turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":200}}},"include":null}}
> {"type":"session.update","session":{"type":"transcription","audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":{"model":"gpt-live-transcribe","languages":["en"],"prompt":"Quixal"},"turn_detection":null}}}}
< {"type":"session.updated","event_id":"event_2","session":{"type":"transcription","object":"realtime.transcription_session","id":"sess_1"}}
> {"type":"input_audio_buffer.append"}
< {"type":"conversation.item.input_audio_transcription.delta","event_id":"event_3","item_id":"item_1","content_index":0,"delta":"Go"}
< {"type":"conversation.item.input_audio_transcription.delta","event_id":"event_4","item_id":"item_1","content_index":0,"delta":" forward"}
* {"type":"input_audio_buffer.append"}
> {"type":"input_audio_buffer.commit"}
< {"type":"input_audio_buffer.committed","event_id":"event_5","previous_item_id":null,"item_id":"item_1"}
< {"type":"conversation.item.added","event_id":"event_6","previous_item_id":null,"item":{"id":"item_1","type":"message","role":"user","status":"completed","content":[{"type":"input_audio","transcript":null}]}}
< {"type":"conversation.item.input_audio_transcription.delta","event_id":"event_7","item_id":"item_1","content_index":0,"delta":" ten meters."}
< {"type":"conversation.item.input_audio_transcription.completed","event_id":"event_8","item_id":"item_1","content_index":0,"transcript":"Go forward ten meters.","languages":[{"code":"en"}],"usage":{"type":"duration","seconds":1.0}}
> close
